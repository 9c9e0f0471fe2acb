/* Tokens of the people in scope. A token is one way: to recognise one, those of everybody who may
 * have it are made. The database made them from the key's bytes, and what these are depends on the
 * column's type, which is not known here: each key has at most two that could be its own. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "incident/confirm_private.h"

enum { TOKENS_A_PERSON = 2, UUID_CHARS = 36, INTEGER_CHARS = 20 };

struct made_token {
    char token[TOKEN_ROOM];
    uint32_t at; /* in the scope's people */
};
struct confirm_tokens {
    struct made_token *made; /* in order */
    size_t count;
};

static bool read_integer(const char *key, uint8_t bytes[static 8])
{
    char again[INTEGER_CHARS + 2];
    char *end;
    long long value = strtoll(key, &end, 10);
    snprintf(again, sizeof again, "%lld", value);
    if (strcmp(again, key) != 0)
        return false;
    store_u64be(bytes, (uint64_t)value);
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits);
}

static bool read_uuid(const char *key, uint8_t bytes[static 16])
{
    size_t count = 0;
    if (strlen(key) != UUID_CHARS)
        return false;
    for (const char *at = key; *at != '\0'; at++) {
        size_t place = (size_t)(at - key);
        bool dash = place == 8 || place == 13 || place == 18 || place == 23;
        if (dash && *at == '-')
            continue;
        int digit = hex_digit(*at);
        if (dash || digit < 0)
            return false;
        bytes[count / 2] = (uint8_t)(bytes[count / 2] << 4 | digit);
        count++;
    }
    return true;
}

static void add(struct confirm_tokens *tokens, const uint8_t key[static 32], struct slice value,
                uint32_t at)
{
    struct made_token *made = &tokens->made[tokens->count++];
    made->at = at;
    token_make(key, value, made->token);
}

static void add_person(struct confirm_tokens *tokens, const uint8_t token_key[static 32],
                       const char *key, uint32_t at)
{
    uint8_t bytes[16] = {0};
    if (read_integer(key, bytes))
        add(tokens, token_key, slice_of(bytes, 8), at);
    else if (read_uuid(key, bytes))
        add(tokens, token_key, slice_of(bytes, 16), at);
    add(tokens, token_key, slice_of_text(key), at);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct made_token *)a)->token, ((const struct made_token *)b)->token);
}

static void make_all(struct confirm_tokens *tokens, const struct scope *scope,
                     const uint8_t secret[static TOKEN_SECRET_BYTES])
{
    uint8_t key[32] = {0};
    char domain[80], subject[256];
    for (size_t i = 0; i < scope->person_count; i++) {
        const struct scope_person *person = &scope->people[i];
        if (i == 0 || person->kind != scope->people[i - 1].kind) {
            snprintf(domain, sizeof domain, "kind:%s", scope_kind(scope, person->kind));
            token_key(secret, scope->incident.partner, domain, key);
        }
        if (scope_key(scope, person->id, subject) == STATUS_OK) /* or erased */
            add_person(tokens, key, subject, (uint32_t)i);
    }
    crypto_wipe(key, sizeof key);
    qsort(tokens->made, tokens->count, sizeof tokens->made[0], compare);
}

enum status confirm_tokens_open(struct casework *casework, const struct scope *scope,
                                struct confirm_tokens **out, struct error *error)
{
    char path[4096];
    uint8_t secret[TOKEN_SECRET_BYTES];
    snprintf(path, sizeof path, "%s/token.key", casework->config->state_folder);
    TRY(token_secret_read(path, secret, error));
    struct confirm_tokens *tokens = calloc(1, sizeof *tokens);
    if (tokens != NULL)
        tokens->made = calloc(scope->person_count * TOKENS_A_PERSON + 1, sizeof tokens->made[0]);
    if (tokens == NULL || tokens->made == NULL) {
        free(tokens);
        crypto_wipe(secret, sizeof secret);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    make_all(tokens, scope, secret);
    crypto_wipe(secret, sizeof secret);
    *out = tokens;
    return STATUS_OK;
}

void confirm_tokens_close(struct confirm_tokens *tokens)
{
    if (tokens == NULL)
        return;
    free(tokens->made);
    free(tokens);
}

uint32_t confirm_tokens_find(const struct confirm_tokens *tokens, const char *token)
{
    struct made_token wanted = {.at = 0};
    if (strlen(token) != TOKEN_ROOM - 1)
        return CONFIRM_OUTSIDE;
    memcpy(wanted.token, token, TOKEN_ROOM);
    const struct made_token *found =
        bsearch(&wanted, tokens->made, tokens->count, sizeof wanted, compare);
    return found == NULL ? CONFIRM_OUTSIDE : found->at;
}
