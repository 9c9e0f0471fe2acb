/* See keys.h. RFC 7517, RFC 7518 (6), RFC 8037 (2). */
#include "oidc/keys.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *kty, *crv;
    const char *members[4]; /* beside kty; all are texts */
} algorithms[] = {
    [KEYS_RS256] = {"RS256", "RSA", NULL, {"n", "e", NULL}},
    [KEYS_ES256] = {"ES256", "EC", "P-256", {"crv", "x", "y", NULL}},
    [KEYS_EDDSA] = {"EdDSA", "OKP", "Ed25519", {"crv", "x", NULL}},
};
enum { ALGORITHMS = sizeof algorithms / sizeof algorithms[0], MEMBER_BYTES = 2048 };
/* Bytes of a modulus in base64url, of 2048 to 8192 bits; of an exponent, at most 64 bits. */
enum { MODULUS_LEAST = 342, MODULUS_MOST = 1366, EXPONENT_MOST = 11 };

const char *keys_algorithm_name(enum keys_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

json_t *keys_parse_object(struct slice text)
{
    json_t *value = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

static bool is_text(json_t *key, const char *member, const char *expected)
{
    const char *text = json_string_value(json_object_get(key, member));
    return text != NULL && strcmp(text, expected) == 0;
}

static bool may_verify(json_t *operations)
{
    size_t index;
    json_t *operation;
    json_array_foreach(operations, index, operation)
    {
        const char *text = json_string_value(operation);
        if (text != NULL && strcmp(text, "verify") == 0)
            return true;
    }
    return false;
}

/* A key whose private half is published is no key. */
static bool is_public(json_t *key)
{
    static const char *const secret[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (json_object_get(key, secret[i]) != NULL)
            return false;
    return true;
}

static bool fits(json_t *key, enum keys_algorithm algorithm)
{
    if (!is_text(key, "kty", algorithms[algorithm].kty) || !is_public(key) ||
        (algorithms[algorithm].crv != NULL && !is_text(key, "crv", algorithms[algorithm].crv)))
        return false;
    if (json_object_get(key, "use") != NULL && !is_text(key, "use", "sig"))
        return false;
    if (json_object_get(key, "alg") != NULL && !is_text(key, "alg", algorithms[algorithm].name))
        return false;
    if (json_object_get(key, "key_ops") != NULL && !may_verify(json_object_get(key, "key_ops")))
        return false;
    for (const char *const *member = algorithms[algorithm].members; *member != NULL; member++)
        if (!json_is_string(json_object_get(key, *member)) ||
            json_string_length(json_object_get(key, *member)) > MEMBER_BYTES)
            return false;
    if (algorithm != KEYS_RS256)
        return true;
    size_t modulus = json_string_length(json_object_get(key, "n"));
    return modulus >= MODULUS_LEAST && modulus <= MODULUS_MOST &&
           json_string_length(json_object_get(key, "e")) <= EXPONENT_MOST;
}

/* What the library gets to see: nothing that it could fetch, chain or take for something else. */
static json_t *strip(json_t *key, enum keys_algorithm algorithm)
{
    json_t *made = json_object();
    json_object_set(made, "kty", json_object_get(key, "kty"));
    for (const char *const *member = algorithms[algorithm].members; *member != NULL; member++)
        json_object_set(made, *member, json_object_get(key, *member));
    return made;
}

enum verdict_kind keys_choose(json_t *set, const char *kid, enum keys_algorithm algorithm,
                              json_t **chosen, const char **why)
{
    json_t *keys = json_object_get(set, "keys"), *key, *found = NULL;
    size_t index, named = 0, fitting = 0;
    json_array_foreach(keys, index, key)
    {
        if (index == KEYS_MAX)
            break;
        if (kid != NULL && !is_text(key, "kid", kid))
            continue;
        named++;
        if (!fits(key, algorithm))
            continue;
        fitting++;
        found = key;
    }
    if (fitting == 1) {
        *chosen = strip(found, algorithm);
        return VERDICT_GOOD;
    }
    *why = fitting > 1   ? "several keys of the provider would do, and it does not name one"
           : kid == NULL ? "it names no key, and none of the provider's fits its algorithm"
           : named > 0   ? "the key that it names is not one for its algorithm"
                         : "it names a key that is not among the provider's";
    return kid != NULL && named == 0 ? VERDICT_UNKNOWN_KEY : VERDICT_BAD;
}

void keys_judge(const struct question *question, struct verdict *verdict)
{
    json_t *set = keys_parse_object(question->document), *key;
    json_t *keys = json_object_get(set, "keys");
    size_t index, usable = 0;
    json_array_foreach(keys, index, key)
    {
        bool any = false;
        for (size_t i = 0; i < ALGORITHMS; i++)
            any = any || fits(key, (enum keys_algorithm)i);
        usable += any && index < KEYS_MAX;
    }
    *verdict = (struct verdict){.kind = usable > 0 ? VERDICT_GOOD : VERDICT_BAD};
    snprintf(verdict->text, sizeof verdict->text, "%s",
             !json_is_array(keys) ? "it is no key set (a JSON object with a list \"keys\")"
             : usable == 0 ? "none of its keys can be used: RSA from 2048 bits, P-256, Ed25519"
                           : "");
    json_decref(set);
}
