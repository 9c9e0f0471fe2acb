/* From an incident's number to a statement, and its evidence in words. */
#include "incident/statement.h"

#include <string.h>

#include "base/file.h"
#include "incident/layout.h"
#include "incident/lint.h"
#include "policy/jurisdiction.h"

enum { TEXT_BYTES = 1024 * 1024, EVIDENCE_COLUMNS = 76, MOST_AUTHORITIES = 32 };

/* ---- evidence ---- */

static void write_line(const char *name, const char *text, struct buffer *out)
{
    struct buffer line;
    if (text == NULL)
        return;
    buffer_init(&line, TEXT_BYTES);
    buffer_printf(&line, "%s: %s", name, text);
    layout_wrap(buffer_text(&line), 2, EVIDENCE_COLUMNS, out);
    buffer_free(&line);
}

void statement_evidence(const struct statement_claim *claims, size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct statement_claim *claim = &claims[i];
        bool refused = claim->verdict == STATEMENT_REFUSED;
        buffer_printf(out, "%s%s: %s\n", i == 0 ? "" : "\n", claim->name,
                      statement_verdict_name(claim->verdict));
        write_line("said", claim->said, out);
        write_line(refused ? "why" : "evidence", claim->evidence, out);
        write_line(refused ? "what would help" : "better", claim->needed, out);
    }
}

/* ---- making ---- */

struct desk {
    struct brief brief;
    struct words *words, *texts;
    struct lint *lint;
    const char *authorities[MOST_AUTHORITIES];
    size_t authority_count;
};

static enum status load_words(struct casework *casework, const char *language, struct arena *arena,
                              struct desk *desk, struct error *error)
{
    const char *path;
    if (strspn(language, "abcdefghijklmnopqrstuvwxyz-") != strlen(language))
        return error_set(error, STATUS_INVALID, "22023", "such as en or fr",
                         "\"%.60s\" is not a language", language);
    TRY(casework_data(casework, arena_printf(arena, "words/%s.yaml", language), arena, &path,
                      error));
    TRY(words_load(path, &desk->words, error));
    TRY(casework_data(casework, arena_printf(arena, "statement/%s.yaml", language), arena, &path,
                      error));
    TRY(words_load(path, &desk->texts, error));
    TRY(casework_data(casework, arena_printf(arena, "notices/lint.%s.yaml", language), arena, &path,
                      error));
    return lint_load(path, &desk->lint, error);
}

/* The authorities of the jurisdictions that the policy names, each once. */
static enum status find_authorities(struct casework *casework, struct arena *arena,
                                    struct desk *desk, struct error *error)
{
    const struct policy_controller *controller = &casework->policy->controller;
    for (size_t i = 0; i < controller->jurisdiction_count; i++) {
        const char *path,
            *name = arena_printf(arena, "jurisdictions/%s.yaml", controller->jurisdictions[i]);
        struct jurisdiction *jurisdiction;
        TRY(casework_data(casework, name, arena, &path, error));
        TRY(jurisdiction_load(path, &jurisdiction, error));
        for (size_t j = 0; j < jurisdiction->clock_count; j++) {
            const char *authority = jurisdiction->clocks[j].authority;
            bool known = authority == NULL || desk->authority_count == MOST_AUTHORITIES;
            for (size_t k = 0; k < desk->authority_count && !known; k++)
                known = strcmp(desk->authorities[k], authority) == 0;
            if (!known)
                desk->authorities[desk->authority_count++] = arena_strdup(arena, authority);
        }
        jurisdiction_free(jurisdiction);
    }
    return STATUS_OK;
}

/* The statement through the same rules as messages to people. */
static enum status lint_statement(const struct desk *desk, struct statement_result *result,
                                  const char *name, const char *text, struct error *error)
{
    lint_table(&result->findings);
    if (text != NULL)
        return lint_text(desk->lint, name, text, &result->findings, error);
    lint_document(desk->lint, name, &result->statement.document, &result->findings);
    return STATUS_OK;
}

static enum status check(const struct statement_request *request, const struct statement_case *of,
                         const struct desk *desk, struct arena *arena,
                         struct statement_result *result, struct error *error)
{
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    enum status status = file_read(request->check, &text, error);
    const char *words = status == STATUS_OK ? buffer_text(&text) : NULL;
    if (status == STATUS_OK && (words == NULL || strlen(words) != text.len))
        status = error_set(error, STATUS_INVALID, "22023", "give it as plain text",
                           "%.200s is too long, or no text", request->check);
    if (status == STATUS_OK)
        status = statement_check(of, words, arena, &result->statement, error);
    if (status == STATUS_OK)
        status = lint_statement(desk, result, request->check, words, error);
    buffer_free(&text);
    return status;
}

static enum status make(struct casework *casework, const struct statement_request *request,
                        struct arena *arena, struct desk *desk, struct statement_result *result,
                        struct error *error)
{
    const char *language = request->language == NULL ? "en" : request->language;
    TRY(load_words(casework, language, arena, desk, error));
    TRY(find_authorities(casework, arena, desk, error));
    TRY(brief_open(casework, request->incident, request->phase, arena, &desk->brief, error));
    struct statement_case of = {.brief = &desk->brief,
                                .words = desk->words,
                                .texts = desk->texts,
                                .authorities = desk->authorities,
                                .authority_count = desk->authority_count,
                                .brand = request->brand,
                                .with_numbers = request->with_numbers};
    if (request->check != NULL)
        return check(request, &of, desk, arena, result, error);
    TRY(statement_draft(&of, arena, &result->statement, error));
    return lint_statement(desk, result, "statement", NULL, error);
}

enum status statement_make(struct casework *casework, const struct statement_request *request,
                           struct arena *arena, struct statement_result *result,
                           struct error *error)
{
    struct desk desk = {0};
    *result = (struct statement_result){0};
    enum status status = make(casework, request, arena, &desk, result, error);
    brief_close(&desk.brief);
    words_free(desk.words);
    words_free(desk.texts);
    lint_free(desk.lint);
    return status;
}

void statement_result_free(struct statement_result *result)
{
    table_free(&result->findings);
}
