/* See token.h. */
#include "oidc/token.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <rhonabwy.h>

#include "crypto/crypto.h"
#include "http/http.h"
#include "oidc/base64url.h"
#include "oidc/claims.h"
#include "oidc/keys.h"

enum { HEADER_BYTES = 4096, JTI_BYTES = 255 };

struct parts { /* as written: header.claims.signature */
    struct slice header, claims, signature;
    struct slice signed_text; /* header.claims */
};

static void bad(struct verdict *verdict, const char *why)
{
    *verdict = (struct verdict){.kind = VERDICT_BAD};
    snprintf(verdict->text, sizeof verdict->text, "%s", why);
}

/* Three parts and two dots: five parts would be JWE, braces the JSON form with its lists of
 * signatures. */
static bool split(struct slice token, struct parts *parts)
{
    const uint8_t *first, *second, *end = token.data + token.len;
    if (token.len == 0 || token.len > QUESTION_TOKEN_BYTES ||
        (first = memchr(token.data, '.', token.len)) == NULL ||
        (second = memchr(first + 1, '.', (size_t)(end - first - 1))) == NULL)
        return false;
    parts->header = slice_of(token.data, (size_t)(first - token.data));
    parts->claims = slice_of(first + 1, (size_t)(second - first - 1));
    parts->signature = slice_of(second + 1, (size_t)(end - second - 1));
    parts->signed_text = slice_of(token.data, (size_t)(second - token.data));
    return parts->header.len > 0 && parts->claims.len > 0 && parts->signature.len > 0 &&
           memchr(parts->signature.data, '.', parts->signature.len) == NULL;
}

static json_t *decode_object(struct slice part, size_t most)
{
    struct buffer bytes;
    json_t *value = NULL;
    buffer_init(&bytes, most);
    if (base64url_decode(part, &bytes) == STATUS_OK)
        value = keys_parse_object(buffer_slice(&bytes));
    buffer_free(&bytes);
    return value;
}

/* ---- the header ---- */

static bool find_algorithm(json_t *header, enum keys_algorithm *algorithm)
{
    const char *name = json_string_value(json_object_get(header, "alg"));
    for (int i = KEYS_RS256; name != NULL && i <= KEYS_EDDSA; i++)
        if (strcmp(name, keys_algorithm_name((enum keys_algorithm)i)) == 0) {
            *algorithm = (enum keys_algorithm)i;
            return true;
        }
    return false;
}

/* Keys that a token brings itself prove nothing; extensions that must be understood are not. */
static bool brings_keys(json_t *header)
{
    static const char *const names[] = {"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_object_get(header, names[i]) != NULL)
            return true;
    return false;
}

/* A logout token, or a proof of possession, is signed by the same keys (RFC 8725, 3.11). */
static bool has_type(json_t *header, struct slice wanted)
{
    json_t *member = json_object_get(header, "typ");
    const char *typ = json_string_value(member);
    if (member == NULL)
        return wanted.len == 0;
    if (typ == NULL)
        return false;
    if (strncasecmp(typ, "application/", 12) == 0)
        typ += 12;
    if (wanted.len == 0)
        return strcasecmp(typ, "JWT") == 0 || strcasecmp(typ, "at+jwt") == 0;
    return strlen(typ) == wanted.len &&
           strncasecmp(typ, (const char *)wanted.data, wanted.len) == 0;
}

static bool read_header(json_t *header, struct slice typ, enum keys_algorithm *algorithm,
                        const char **kid, struct verdict *verdict)
{
    json_t *named = json_object_get(header, "kid");
    *kid = json_string_value(named);
    if (header == NULL)
        bad(verdict, "its header is no JSON object, or has a member twice");
    else if (!find_algorithm(header, algorithm))
        bad(verdict, "its algorithm is not RS256, ES256 or EdDSA");
    else if (brings_keys(header))
        bad(verdict, "its header brings a key of its own, or an extension");
    else if (named != NULL && *kid == NULL)
        bad(verdict, "its kid is no text");
    else if (!has_type(header, typ))
        bad(verdict, "it is a token for something else (typ)");
    else
        return true;
    return false;
}

/* ---- the signature ---- */

static const jwa_alg library_names[] = {
    [KEYS_RS256] = R_JWA_ALG_RS256, [KEYS_ES256] = R_JWA_ALG_ES256, [KEYS_EDDSA] = R_JWA_ALG_EDDSA};

static bool is_strong(jwk_t *key, enum keys_algorithm algorithm)
{
    unsigned int bits = 0;
    int type = r_jwk_key_type(key, &bits, R_FLAG_IGNORE_REMOTE);
    static const int wanted[] = {[KEYS_RS256] = R_KEY_TYPE_RSA,
                                 [KEYS_ES256] = R_KEY_TYPE_EC,
                                 [KEYS_EDDSA] = R_KEY_TYPE_EDDSA};
    return (type & R_KEY_TYPE_PUBLIC) != 0 && (type & wanted[algorithm]) != 0 &&
           (algorithm != KEYS_RS256 || bits >= 2048);
}

static bool is_signed(struct slice token, json_t *key, enum keys_algorithm algorithm)
{
    jws_t *jws = NULL;
    jwk_t *jwk = NULL;
    bool good = r_jws_init(&jws) == RHN_OK && r_jwk_init(&jwk) == RHN_OK &&
                r_jwk_import_from_json_t(jwk, key) == RHN_OK && is_strong(jwk, algorithm) &&
                r_jws_advanced_compact_parsen(jws, (const char *)token.data, token.len,
                                              R_PARSE_NONE, R_FLAG_IGNORE_REMOTE) == RHN_OK &&
                r_jws_get_alg(jws) == library_names[algorithm] &&
                r_jws_verify_signature(jws, jwk, R_FLAG_IGNORE_REMOTE) == RHN_OK;
    r_jwk_free(jwk);
    r_jws_free(jws);
    return good;
}

static bool verify(const struct question *question, const char *kid, enum keys_algorithm algorithm,
                   struct verdict *verdict)
{
    json_t *set = keys_parse_object(question->document), *key = NULL;
    const char *why = "its signature does not verify";
    *verdict = (struct verdict){.kind = keys_choose(set, kid, algorithm, &key, &why)};
    if (verdict->kind == VERDICT_GOOD && !is_signed(question->token, key, algorithm))
        verdict->kind = VERDICT_BAD;
    if (verdict->kind != VERDICT_GOOD)
        snprintf(verdict->text, sizeof verdict->text, "%s", why);
    json_decref(key);
    json_decref(set);
    return verdict->kind == VERDICT_GOOD;
}

/* ---- the whole ---- */

/* SHA-256 over issuer and jti, or what was signed: not the signature, which for ES256 can be
 * written in two ways by anybody. */
static bool name_token(json_t *claims, const struct question *question, const struct parts *parts,
                       struct verdict *verdict)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    json_t *jti = json_object_get(claims, "jti");
    if (jti != NULL && (!json_is_string(jti) || json_string_length(jti) == 0 ||
                        json_string_length(jti) > JTI_BYTES)) {
        bad(verdict, "its jti is no text of 1 to 255 bytes");
        return false;
    }
    struct slice named = jti == NULL ? parts->signed_text
                                     : slice_of(json_string_value(jti), json_string_length(jti));
    const struct slice hashed[] = {question->issuer, slice_of("\0", 1),
                                   jti == NULL ? slice_of_text("token") : slice_of_text("jti"),
                                   slice_of("\0", 1), named};
    crypto_sha256(hashed, sizeof hashed / sizeof hashed[0], digest);
    memcpy(verdict->id, digest, sizeof verdict->id);
    return true;
}

static void judge_claims(const struct question *question, const struct parts *parts,
                         struct verdict *verdict)
{
    json_t *claims = decode_object(parts->claims, QUESTION_TOKEN_BYTES);
    if (claims == NULL) {
        bad(verdict, "its claims are no JSON object, or one stands twice");
        return;
    }
    claims_judge(claims, question, verdict);
    (void)name_token(claims, question, parts, verdict);
    json_decref(claims);
}

void token_judge(const struct question *question, struct verdict *verdict)
{
    struct parts parts;
    struct buffer signature;
    enum keys_algorithm algorithm;
    const char *kid;
    if (!split(question->token, &parts)) {
        bad(verdict, "it is no token in compact form, of at most 16 KiB (header.claims.signature)");
        return;
    }
    json_t *header = decode_object(parts.header, HEADER_BYTES);
    buffer_init(&signature, QUESTION_TOKEN_BYTES);
    if (base64url_decode(parts.signature, &signature) != STATUS_OK)
        bad(verdict, "its signature is not base64url");
    else if (read_header(header, question->typ, &algorithm, &kid, verdict) &&
             verify(question, kid, algorithm, verdict))
        judge_claims(question, &parts, verdict);
    buffer_free(&signature);
    json_decref(header);
}

/* The provider says where its keys are; a provider on the network must not send us to services of
 * this machine, which only plain HTTP is let to. */
static bool may_fetch(const char *url, struct slice issuer)
{
    static const char https[] = "https://";
    size_t len = sizeof https - 1;
    bool is_remote = issuer.len >= len && memcmp(issuer.data, https, len) == 0;
    return http_url_is_safe(url) && (!is_remote || strncmp(url, https, len) == 0);
}

void token_judge_discovery(const struct question *question, struct verdict *verdict)
{
    json_t *document = keys_parse_object(question->document);
    json_t *issuer = json_object_get(document, "issuer");
    const char *url = json_string_value(json_object_get(document, "jwks_uri"));
    if (!json_is_string(issuer) ||
        !slice_equal(slice_of(json_string_value(issuer), json_string_length(issuer)),
                     question->issuer))
        bad(verdict, "the provider's description is of another issuer");
    else if (url == NULL || !may_fetch(url, question->issuer) ||
             strlen(url) >= sizeof verdict->text)
        bad(verdict, "the provider's description has no jwks_uri of https");
    else {
        *verdict = (struct verdict){.kind = VERDICT_GOOD};
        snprintf(verdict->text, sizeof verdict->text, "%s", url);
    }
    json_decref(document);
}
