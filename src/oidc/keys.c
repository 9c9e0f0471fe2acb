/* See keys.h. RFC 7517, RFC 7518 (6), RFC 8037 (2). */
#include "oidc/keys.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "oidc/base64url.h"

static const struct {
    const char *name, *kty, *crv;
    const char *members[4]; /* beside kty; all are texts */
} algorithms[] = {
    [KEYS_RS256] = {"RS256", "RSA", NULL, {"n", "e", NULL}},
    [KEYS_ES256] = {"ES256", "EC", "P-256", {"crv", "x", "y", NULL}},
    [KEYS_EDDSA] = {"EdDSA", "OKP", "Ed25519", {"crv", "x", NULL}},
};
enum { ALGORITHMS = sizeof algorithms / sizeof algorithms[0], MEMBER_BYTES = 2048 };
/* Bits of a modulus (at least: NIST SP 800-131A), values of an exponent (FIPS 186-5, 5.4). */
enum { MODULUS_LEAST = 2048, MODULUS_MOST = 8192, EXPONENT_LEAST = 65537, EXPONENT_BITS = 32 };

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

/* ---- numbers ---- */

/* The member's bytes; true if they are base64url. */
static bool take_bytes(json_t *key, const char *member, struct buffer *bytes)
{
    json_t *text = json_object_get(key, member);
    struct slice written = slice_of(json_string_value(text), json_string_length(text));
    buffer_clear(bytes);
    return base64url_decode(written, bytes) == STATUS_OK && bytes->len > 0;
}

/* Of a big-endian number; zeros in front, which some write, count as nothing. */
static size_t bits_of(const struct buffer *number)
{
    for (size_t i = 0; i < number->len; i++)
        for (int bit = 7; bit >= 0; bit--)
            if ((number->data[i] >> bit & 1) != 0)
                return (number->len - i - 1) * 8 + (size_t)bit + 1;
    return 0;
}

static bool is_exponent(const struct buffer *number)
{
    uint64_t value = 0;
    if (bits_of(number) > EXPONENT_BITS)
        return false;
    for (size_t i = 0; i < number->len; i++)
        value = value << 8 | number->data[i];
    return value >= EXPONENT_LEAST && value % 2 == 1;
}

/* What the library takes and anybody could sign for: few bits behind many zeros, 1 as an exponent,
 * a point of small order. Points of P-256 it judges itself. */
static bool is_sound(json_t *key, enum keys_algorithm algorithm)
{
    struct buffer bytes;
    bool sound = algorithm == KEYS_ES256;
    buffer_init(&bytes, MEMBER_BYTES);
    if (algorithm == KEYS_RS256)
        sound = take_bytes(key, "n", &bytes) && bits_of(&bytes) >= MODULUS_LEAST &&
                bits_of(&bytes) <= MODULUS_MOST && take_bytes(key, "e", &bytes) &&
                is_exponent(&bytes);
    else if (algorithm == KEYS_EDDSA)
        sound = take_bytes(key, "x", &bytes) && bytes.len == CRYPTO_ED25519_PUBLIC_BYTES &&
                crypto_ed25519_is_key(bytes.data);
    buffer_free(&bytes);
    return sound;
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
    return is_sound(key, algorithm);
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
