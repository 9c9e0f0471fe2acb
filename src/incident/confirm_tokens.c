/* Tokens of the people in scope. A token is one way: to recognise one, those of everybody who may
 * have it are made. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "incident/confirm_private.h"

struct made_token {
    char token[TOKEN_ROOM];
    uint32_t at; /* in the scope's people */
};
struct confirm_tokens {
    struct made_token *made; /* in order */
    size_t count;
};

static void add_person(struct confirm_tokens *tokens, const uint8_t token_key[static 32],
                       const char *key, uint32_t at)
{
    char made[TOKEN_MOST][TOKEN_ROOM];
    size_t count = token_of_subject(token_key, key, made);
    for (size_t i = 0; i < count; i++) {
        struct made_token *token = &tokens->made[tokens->count++];
        token->at = at;
        memcpy(token->token, made[i], TOKEN_ROOM);
    }
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
        tokens->made = calloc(scope->person_count * TOKEN_MOST + 1, sizeof tokens->made[0]);
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
