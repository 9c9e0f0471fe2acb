/* See trace_page.h. */
#include "cli/trace_page.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "trace/looks.h"

enum { TAKEN_ROOM = 200, SOURCES_SHOWN = 12 };

/* ---- columns ---- */

/* "customer.email", "key of customer", "customer.email and 2 more", "not compared". */
static void taken_as(const struct column *column, char text[static TAKEN_ROOM])
{
    if (column->how == NULL) {
        snprintf(text, TAKEN_ROOM, "not compared");
        return;
    }
    const char *key = column->is_key ? "key: " : "";
    if (column->target_count == 0)
        snprintf(text, TAKEN_ROOM, "%sno column of the policy", key);
    else if (column->target_count == 1)
        snprintf(text, TAKEN_ROOM, "%s%s.%s", key, column->targets[0].dataset,
                 column->targets[0].column);
    else
        snprintf(text, TAKEN_ROOM, "%s%s.%s and %zu more", key, column->targets[0].dataset,
                 column->targets[0].column, column->target_count - 1);
}

void trace_page_columns(FILE *out, const struct trace_report *report)
{
    static const char *const names[] = {"column",    "taken as", "told by", "filled",
                                        "look like", "fit",      NULL};
    struct table table;
    table_init(&table, CLI_RESULT_BYTES, names);
    for (size_t i = 0; i < report->columns.count; i++) {
        const struct column *column = &report->columns.all[i];
        struct table_row *row = table_add(&table);
        char taken[TAKEN_ROOM];
        taken_as(column, taken);
        table_set(&table, row, 0, "%s", column->name);
        table_set(&table, row, 1, "%s", taken);
        if (column->how != NULL)
            table_set(&table, row, 2, "%s", column->how);
        table_set(&table, row, 3, "%" PRIu64, column->filled);
        if (column->looks != 0)
            table_set(&table, row, 4, "%s (%" PRIu64 ")", looks_name(column->looks),
                      column->looked);
        if (column->how != NULL)
            table_set(&table, row, 5, "%" PRIu64, column->matched);
    }
    cli_print_table(out, &table);
    table_free(&table);
}

/* ---- the page ---- */

static void print_lines(FILE *out, const char *what, uint64_t count, const size_t *lines)
{
    if (count == 0)
        return;
    fprintf(out, "%" PRIu64 " line%s %s: ", count, count == 1 ? "" : "s", what);
    for (size_t i = 0; i < count && i < TRACE_SHOWN; i++)
        fprintf(out, "%s%zu", i == 0 ? "" : ", ", lines[i]);
    fprintf(out, "%s\n", count > TRACE_SHOWN ? ", …" : "");
}

static void print_counts(FILE *out, const struct trace_report *report)
{
    fprintf(out,
            "%" PRIu64 " lines: %" PRIu64 " recognised (by key %" PRIu64 ", token %" PRIu64
            ", contact data %" PRIu64 ", canary %" PRIu64 "), %" PRIu64 " different records\n",
            report->lines, report->recognised, report->by_key, report->by_token, report->by_contact,
            report->by_canary, report->records);
    if (report->undisclosed > 0)
        fprintf(out, "%" PRIu64 " of people of yours of whom nothing was ever disclosed\n",
                report->undisclosed);
    print_lines(out, "fit nobody", report->unknown, report->unknown_lines);
    print_lines(out, "fit more than one person, and count for nobody", report->ambiguous,
                report->ambiguous_lines);
    if (report->without_database[0] != '\0')
        fprintf(out, "Values were not compared with the database: %s\n", report->without_database);
}

static const char *const verdicts[] = {"cannot tell", "this copy", "another source"};

static void print_sources(FILE *out, const struct trace_report *report)
{
    static const char *const names[] = {"copy given to", "records it had", "posterior", "prior",
                                        "guilt model",   "said deleted",   NULL};
    struct table table;
    table_init(&table, CLI_RESULT_BYTES, names);
    for (size_t i = 0; i < report->source_count && i < SOURCES_SHOWN; i++) {
        const struct trace_source *source = &report->sources[i];
        struct table_row *row = table_add(&table);
        table_set(&table, row, 0, "%s",
                  source->older             ? "(an older copy, dropped)"
                  : source->partner == NULL ? "(another source)"
                                            : source->partner);
        if (source->older)
            table_set(&table, row, 1, "at most %" PRIu64, source->records);
        if (source->partner != NULL)
            table_set(&table, row, 1, "%" PRIu64, source->records);
        table_set(&table, row, 2, "%.4f", source->posterior);
        table_set(&table, row, 3, "%.4f", source->prior);
        if (source->partner != NULL)
            table_set(&table, row, 4, "%.4f", source->guilt);
        if (source->deleted > 0)
            table_set(&table, row, 5, "%" PRIu64, source->deleted);
        if (source->passed_on > 0)
            table_set(&table, row, 0, "%s or its sub-processors", source->partner);
    }
    cli_print_table(out, &table);
    if (report->source_count > SOURCES_SHOWN)
        fprintf(out, "… and %zu more\n", report->source_count - SOURCES_SHOWN);
    table_free(&table);
    fprintf(out,
            "posterior: of one single source, with p=%g, e=%g and these priors. guilt model: how "
            "well the copy\nexplains the records one by one; it does not sum to 1, and is no "
            "probability of anybody's guilt.\n",
            report->elsewhere, report->error);
}

static void print_parts(FILE *out, const struct trace_report *report)
{
    static const char *const names[] = {"agent", "delivery", "records it had", "posterior", NULL};
    struct table table;
    if (report->part_count == 0)
        return;
    fputc('\n', out);
    cli_print_heading(out, "Within the copy given to %s", report->sources[report->best].partner);
    table_init(&table, CLI_RESULT_BYTES, names);
    for (size_t i = 0; i < report->part_count && i < SOURCES_SHOWN; i++) {
        const struct trace_part *part = &report->parts[i];
        struct table_row *row = table_add(&table);
        table_set(&table, row, 0, "%s", part->declared ? "(told by staff)" : part->agent);
        if (part->delivery[0] != '\0')
            table_set(&table, row, 1, "%s", part->delivery);
        table_set(&table, row, 2, "%" PRIu64, part->records);
        table_set(&table, row, 3, "%.4f", part->posterior);
    }
    cli_print_table(out, &table);
    table_free(&table);
}

static void print_deciding(FILE *out, const struct trace_report *report)
{
    static const char *const names[] = {"line", "speaks", "what sets it apart", NULL};
    struct table table;
    if (report->deciding_count == 0)
        return;
    fputc('\n', out);
    cli_print_heading(out,
                      "Records that set it apart from %s: %" PRIu64 " for, %" PRIu64 " against",
                      report->compared_with == NULL ? "another source" : report->compared_with,
                      report->deciding_for, report->deciding_against);
    table_init(&table, CLI_RESULT_BYTES, names);
    for (size_t i = 0; i < report->deciding_count; i++) {
        const struct trace_deciding *record = &report->deciding[i];
        struct table_row *row = table_add(&table);
        if (record->lines > 1)
            table_set(&table, row, 0, "%zu (and %" PRIu64 " more)", record->line,
                      record->lines - 1);
        else
            table_set(&table, row, 0, "%zu", record->line);
        table_set(&table, row, 1, "%s", record->against ? "against" : "for");
        table_set(&table, row, 2, "%s", record->why);
    }
    cli_print_wrapped(out, &table);
    table_free(&table);
}

void trace_page_print(FILE *out, const struct trace_report *report, const char *file)
{
    cli_print_heading(out, "Whose copy: %s", file);
    fprintf(out, "sha256 %s\n", report->sha256);
    print_counts(out, report);
    fputc('\n', out);
    trace_page_columns(out, report);
    fputc('\n', out);
    cli_print_heading(out, "Verdict: %s", verdicts[report->verdict]);
    cli_print_text(out, report->why, 0);
    fputc('\n', out);
    print_sources(out, report);
    print_parts(out, report);
    print_deciding(out, report);
    if (report->note_count > 0)
        fputc('\n', out);
    for (size_t i = 0; i < report->note_count; i++) {
        fputs("- ", out);
        cli_print_text(out, report->notes[i], 0);
    }
}

/* ---- JSON ---- */

static void set(json_t *object, const char *key, json_t *value)
{
    int failure = json_object_set_new(object, key, value);
    CHECK(failure == 0);
}

static void add(json_t *array, json_t *value)
{
    int failure = json_array_append_new(array, value);
    CHECK(failure == 0);
}

static json_t *optional(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : cli_json_text(text);
}

static json_t *instant(int64_t time_ns)
{
    char text[21];
    if (time_ns == INT64_MAX || time_ns == INT64_MIN)
        return json_null();
    clock_format_utc(time_ns, text);
    return json_string(text);
}

static json_t *columns_json(const struct trace_report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->columns.count; i++) {
        const struct column *column = &report->columns.all[i];
        json_t *object = json_object(), *targets = json_array();
        for (size_t t = 0; column->how != NULL && t < column->target_count; t++) {
            char name[TAKEN_ROOM];
            snprintf(name, sizeof name, "%s.%s", column->targets[t].dataset,
                     column->targets[t].column);
            add(targets, cli_json_text(name));
        }
        set(object, "column", cli_json_text(column->name));
        set(object, "told_by", optional(column->how));
        set(object, "key", json_boolean(column->how != NULL && column->is_key));
        set(object, "targets", targets);
        set(object, "filled", json_integer((json_int_t)column->filled));
        set(object, "looks", optional(looks_name(column->looks)));
        set(object, "look_like", json_integer((json_int_t)column->looked));
        set(object, "fit", json_integer((json_int_t)column->matched));
        add(all, object);
    }
    return all;
}

static json_t *sources_json(const struct trace_report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->source_count; i++) {
        const struct trace_source *source = &report->sources[i];
        json_t *object = json_object();
        set(object, "copy", optional(source->partner));
        set(object, "older", json_boolean(source->older));
        set(object, "prior", json_real(source->prior));
        set(object, "posterior", json_real(source->posterior));
        set(object, "passed_on", json_real(source->passed_on));
        set(object, "guilt_model", json_real(source->guilt));
        set(object, "records", json_integer((json_int_t)source->records));
        set(object, "deleted", json_integer((json_int_t)source->deleted));
        set(object, "deletion_attested",
            source->deleted == 0 ? json_null() : instant(source->attested_ns));
        set(object, "deletion_request", optional(source->request));
        add(all, object);
    }
    return all;
}

static json_t *parts_json(const struct trace_report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->part_count; i++) {
        const struct trace_part *part = &report->parts[i];
        json_t *object = json_object();
        set(object, "agent", optional(part->agent));
        set(object, "delivery", optional(part->delivery));
        set(object, "declared", json_boolean(part->declared));
        set(object, "posterior", json_real(part->posterior));
        set(object, "records", json_integer((json_int_t)part->records));
        add(all, object);
    }
    return all;
}

static json_t *deciding_json(const struct trace_report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->deciding_count; i++) {
        const struct trace_deciding *record = &report->deciding[i];
        json_t *object = json_object();
        set(object, "line", json_integer((json_int_t)record->line));
        set(object, "lines", json_integer((json_int_t)record->lines));
        set(object, "against", json_boolean(record->against));
        set(object, "why", cli_json_text(record->why));
        add(all, object);
    }
    return all;
}

static json_t *lines_json(uint64_t count, const size_t *lines)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count && i < TRACE_SHOWN; i++)
        add(all, json_integer((json_int_t)lines[i]));
    return all;
}

static void set_counts(json_t *object, const struct trace_report *report)
{
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"lines", report->lines},
        {"recognised", report->recognised},
        {"by_key", report->by_key},
        {"by_token", report->by_token},
        {"by_contact", report->by_contact},
        {"by_canary", report->by_canary},
        {"undisclosed", report->undisclosed},
        {"unknown", report->unknown},
        {"ambiguous", report->ambiguous},
        {"records", report->records},
        {"records_of_no_copy", report->unheld},
        {"deciding_for", report->deciding_for},
        {"deciding_against", report->deciding_against},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        set(object, counts[i].name, json_integer((json_int_t)counts[i].count));
}

json_t *trace_page_json(const struct trace_report *report)
{
    json_t *object = json_object(), *notes = json_array();
    CHECK(object != NULL && notes != NULL);
    for (size_t i = 0; i < report->note_count; i++)
        add(notes, cli_json_text(report->notes[i]));
    set(object, "sha256", json_string(report->sha256));
    set(object, "verdict", json_string(verdicts[report->verdict]));
    set(object, "why", cli_json_text(report->why));
    set(object, "since", optional(report->since));
    set(object, "leaked_before", instant(report->before_ns));
    set(object, "ledger_entries", json_integer((json_int_t)report->ledger_entries));
    set(object, "elsewhere", json_real(report->elsewhere));
    set(object, "error", json_real(report->error));
    set(object, "ratio", json_real(report->ratio));
    set_counts(object, report);
    set(object, "unknown_lines", lines_json(report->unknown, report->unknown_lines));
    set(object, "ambiguous_lines", lines_json(report->ambiguous, report->ambiguous_lines));
    set(object, "without_database", optional(report->without_database));
    set(object, "columns", columns_json(report));
    set(object, "sources", sources_json(report));
    set(object, "parts", parts_json(report));
    set(object, "compared_with", optional(report->compared_with));
    set(object, "deciding", deciding_json(report));
    set(object, "notes", notes);
    return object;
}
