/* cofferdam incident statement: what can be told to the public, and what cannot, and why. */
#include <string.h>

#include "base/file.h"
#include "cli/incident.h"
#include "cli/json.h"
#include "cli/verbs.h"
#include "incident/statement.h"

enum {
    PHASES_MAX = 1000000,
    ARENA_BYTES = 64 * 1024 * 1024,
    TEXT_BYTES = 4 * 1024 * 1024,
    OUT_MODE = 0600
};

static const struct cli_option options[] = {
    {"language", 0, "en|fr", "default en"},
    {"brand", 0, "NAME", "about one brand's people"},
    {"phase", 0, "K", "by the scope of this phase; default: the newest"},
    {"with-numbers", 0, NULL, "say how many people, too"},
    {"format", 0, "text|html", "default text"},
    {"evidence", 0, "FILE", "write the evidence there instead of below the statement"},
    {"check", 0, "FILE", "judge the text in FILE instead of drafting one"},
    {NULL, 0, NULL, NULL},
};

static enum status read_request(struct cli_call *call, struct statement_request *request,
                                struct error *error)
{
    uint64_t phase;
    const char *format = cli_value(call, "format");
    *request = (struct statement_request){.language = cli_value(call, "language"),
                                          .brand = cli_value(call, "brand"),
                                          .check = cli_value(call, "check"),
                                          .with_numbers = cli_value(call, "with-numbers") != NULL};
    TRY(cli_incident_number(call, &request->incident, error));
    TRY(cli_number(call, "phase", 1, PHASES_MAX, 0, &phase, error));
    request->phase = (int64_t)phase;
    if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "html") != 0)
        return cli_usage(call, error, "--format is text or html, not \"%s\"", format);
    return STATUS_OK;
}

static bool wants_html(const struct cli_call *call)
{
    const char *format = cli_value(call, "format");
    return format != NULL && strcmp(format, "html") == 0;
}

static void write_statement(const struct cli_call *call, const struct statement *statement,
                            struct buffer *out)
{
    const char *language = cli_value(call, "language");
    if (wants_html(call))
        document_html(&statement->document, language == NULL ? "en" : language, statement->title,
                      out);
    else
        document_text(&statement->document, out);
}

/* ---- JSON ---- */

static json_t *optional_text(const char *text)
{
    return text == NULL ? json_null() : cli_json_text(text);
}

static enum status print_json(const struct cli_call *call, const struct statement_result *result,
                              struct error *error)
{
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    write_statement(call, &result->statement, &text);
    json_t *claims = json_array();
    for (size_t i = 0; i < result->statement.claim_count; i++) {
        const struct statement_claim *claim = &result->statement.claims[i];
        json_array_append_new(claims, json_pack("{s:s, s:s, s:o, s:o, s:o}", "claim", claim->name,
                                                "verdict", statement_verdict_name(claim->verdict),
                                                "said", optional_text(claim->said), "evidence",
                                                optional_text(claim->evidence), "needed",
                                                optional_text(claim->needed)));
    }
    const char *said = cli_value(call, "check") != NULL ? NULL : buffer_text(&text);
    json_t *all = json_pack("{s:o, s:o, s:o}", "statement", optional_text(said), "claims", claims,
                            "findings", cli_json_table(&result->findings, NULL));
    buffer_free(&text);
    return cli_json_print(all, false, error);
}

/* ---- for people ---- */

static void write_evidence(const struct statement_result *result, struct buffer *out)
{
    buffer_append_text(out, "Evidence, not for publication\n\n");
    statement_evidence(result->statement.claims, result->statement.claim_count, out);
    for (const struct table_row *row = result->findings.first; row != NULL; row = row->next)
        buffer_printf(out, "\nwording: %s: %s\n  what would pass: %s\n",
                      row->cells[2] == NULL ? "" : row->cells[2],
                      row->cells[3] == NULL ? "" : row->cells[3],
                      row->cells[4] == NULL ? "" : row->cells[4]);
}

static enum status print_evidence(const struct cli_call *call,
                                  const struct statement_result *result, struct error *error)
{
    struct buffer text;
    const char *file = cli_value(call, "evidence");
    enum status status = STATUS_OK;
    buffer_init(&text, TEXT_BYTES);
    write_evidence(result, &text);
    if (file != NULL)
        status = file_replace(file, buffer_slice(&text), OUT_MODE, error);
    else
        fwrite(text.data, 1, text.len, wants_html(call) ? stderr : stdout);
    buffer_free(&text);
    return status;
}

static enum status print_text(const struct cli_call *call, const struct statement_result *result,
                              struct error *error)
{
    if (cli_value(call, "check") == NULL) {
        struct buffer text;
        buffer_init(&text, TEXT_BYTES);
        write_statement(call, &result->statement, &text);
        fwrite(text.data, 1, text.len, stdout);
        buffer_free(&text);
        if (cli_value(call, "evidence") == NULL && !wants_html(call))
            printf("\n----------------------------------------------------------------------------"
                   "\n");
    }
    return print_evidence(call, result, error);
}

/* A text of others that claims what is refused fails. */
static enum status judge(const struct cli_call *call, const struct statement_result *result,
                         struct error *error)
{
    size_t refused = 0;
    for (size_t i = 0; i < result->statement.claim_count; i++)
        refused += result->statement.claims[i].verdict == STATEMENT_REFUSED;
    if (cli_value(call, "check") == NULL || refused == 0)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "22023", NULL, "%zu claims or omissions are refused",
                     refused);
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct statement_request request;
    struct statement_result result = {0};
    struct casework *casework = NULL;
    struct arena arena;
    TRY(read_request(call, &request, error));
    TRY(cli_incident_casework(call, false, &casework, error));
    arena_init(&arena, ARENA_BYTES);
    enum status status = statement_make(casework, &request, &arena, &result, error);
    if (status == STATUS_OK)
        status = call->json ? print_json(call, &result, error) : print_text(call, &result, error);
    if (status == STATUS_OK)
        status = judge(call, &result, error);
    statement_result_free(&result);
    arena_free(&arena);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_statement = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Drafts the public statement. Each claim is bound to its evidence and marked: proved, the\n"
        "provider's claim, the company's own word. What the case does not bear out is left out,\n"
        "with the reason and what would prove it. --check judges a text that others wrote.",
    .examples = "incident statement 1\n"
                "incident statement 1 --language fr --brand dacre --evidence evidence.txt\n"
                "incident statement 1 --check press.txt\n",
    .exits = "with --check: the text claims what is refused, or leaves out what was disclosed",
    .run = run,
};
