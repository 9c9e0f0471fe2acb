/* The steps of a trace, in order: read the file, read the ledger, guess the columns, look for
 * people (canaries first, then keys, tokens and contact data), compare values, ask whether that is
 * right, read the ledger again for who had what, judge. */
#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/since.h"
#include "crypto/crypto.h"
#include "exposure/kinds.h"
#include "trace/private.h"

enum { REPORT_BYTES = 256 * 1024 * 1024, ARENA_BYTES = 1024 * 1024 * 1024 };

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "take a smaller sample", "out of memory");
}

/* ---- who fits a line ---- */

enum status trace_found(struct tracing *tracing, size_t line, uint16_t kind, const char *key,
                        int way, struct error *error)
{
    struct match *match = &tracing->matches[line];
    if (match->key != NULL) {
        match->several = match->several || match->kind != kind || strcmp(match->key, key) != 0;
        return STATUS_OK;
    }
    match->key = arena_strdup(&tracing->arena, key);
    match->kind = kind;
    match->way = (unsigned)way;
    return match->key == NULL ? out_of_memory(error) : STATUS_OK;
}

void trace_settle(struct tracing *tracing)
{
    for (size_t i = 0; i < tracing->leak.line_count; i++)
        tracing->matches[i].settled =
            tracing->matches[i].settled || tracing->matches[i].key != NULL;
}

static void count_line(struct tracing *tracing, size_t line)
{
    struct trace_report *report = tracing->report;
    const struct match *match = &tracing->matches[line];
    bool is_canary = match->way == BY_CANARY && match->settled;
    size_t number = tracing->leak.lines[line].number;
    if (match->several) {
        if (report->ambiguous++ < TRACE_SHOWN)
            report->ambiguous_lines[report->ambiguous - 1] = number;
        return;
    }
    if (!is_canary && match->person == TRACE_NOBODY) {
        if (report->unknown++ < TRACE_SHOWN)
            report->unknown_lines[report->unknown - 1] = number;
        return;
    }
    if (!is_canary && !tracing->people[match->person].disclosed) {
        report->undisclosed++;
        return;
    }
    report->recognised++;
    uint64_t *const ways[] = {&report->by_key, &report->by_token, &report->by_contact,
                              &report->by_canary};
    ++*ways[match->way];
}

static enum status look_for_people(struct tracing *tracing, struct error *error)
{
    TRY(trace_by_canaries(tracing, true, error));
    TRY(trace_by_keys(tracing, error));
    TRY(trace_by_tokens(tracing, error));
    TRY(trace_by_contact(tracing, error));
    TRY(trace_by_canaries(tracing, false, error));
    TRY(trace_people(tracing, error));
    TRY(trace_values(tracing, error));
    /* Of whom nothing was disclosed, nobody had anything: such lines are told, and in no figure. */
    for (size_t i = 0; i < tracing->leak.line_count; i++)
        count_line(tracing, i);
    for (size_t i = 0; i < tracing->leak.line_count; i++) {
        struct match *match = &tracing->matches[i];
        if (match->person != TRACE_NOBODY && !tracing->people[match->person].disclosed)
            match->person = TRACE_NOBODY;
    }
    return STATUS_OK;
}

/* ---- who had what ---- */

static enum status hold(struct tracing *tracing, struct error *error)
{
    size_t count = names_next_id(tracing->world.names);
    uint32_t *people = calloc(count + 1, sizeof *people);
    if (people == NULL)
        return out_of_memory(error);
    for (size_t p = 0; p < tracing->person_count; p++)
        if (tracing->people[p].disclosed && tracing->people[p].id < count)
            people[tracing->people[p].id] = (uint32_t)p + 1;
    enum status status =
        world_hold(&tracing->world, people, count, tracing->options->before_ns, error);
    free(people);
    return status;
}

/* ---- the whole ---- */

/* What cannot be recorded is not read. */
static void open_reader(struct tracing *tracing)
{
    struct casework *casework = tracing->casework;
    struct admin_client *admin;
    struct error error = {0};
    enum status status = contact_open(casework->config, casework->policy, &tracing->reader, &error);
    if (status == STATUS_OK)
        status = casework_admin(casework, &admin, &error);
    if (status == STATUS_OK)
        return;
    contact_close(tracing->reader);
    tracing->reader = NULL;
    snprintf(tracing->report->without_database, sizeof tracing->report->without_database, "%s",
             error.message);
}

static enum status prepare(struct tracing *tracing, struct error *error)
{
    const struct trace_options *options = tracing->options;
    struct trace_report *report = tracing->report;
    TRY(kinds_check(tracing->casework->config->state_folder, tracing->casework->policy, error));
    TRY(leak_read(options->path, options->format, &tracing->leak, error));
    memcpy(report->sha256, tracing->leak.sha256, sizeof report->sha256);
    TRY(columns_guess(tracing->casework->policy, &tracing->leak, options->choices,
                      options->choice_count, &report->arena, &report->columns, error));
    for (size_t c = 0; c < report->columns.count; c++) /* they outlive the leak */
        report->columns.all[c].name = arena_strdup(&report->arena, report->columns.all[c].name);
    TRY(world_read(tracing->casework->config, tracing->casework->policy, &tracing->world, error));
    TRY(trace_sources(tracing, error));
    report->lines = tracing->leak.line_count;
    report->ledger_entries = tracing->world.entries;
    report->ledger_first_ns = tracing->world.entries == 0 ? INT64_MIN : tracing->world.first_ns;
    tracing->matches = arena_array(&tracing->arena, struct match, report->lines + 1);
    if (tracing->matches == NULL || report->arena.overflowed)
        return out_of_memory(error);
    for (size_t i = 0; i < report->lines; i++) {
        tracing->matches[i].token_of = WORLD_NO_PARTNER;
        tracing->matches[i].person = TRACE_NOBODY;
    }
    open_reader(tracing);
    return STATUS_OK;
}

static enum status run(struct tracing *tracing, struct error *error)
{
    const struct trace_options *options = tracing->options;
    TRY(prepare(tracing, error));
    TRY(look_for_people(tracing, error));
    if (options->confirm != NULL)
        TRY(options->confirm(options->context, tracing->report, error));
    TRY(hold(tracing, error));
    since_format(tracing->world.since_ns, tracing->report->since);
    return trace_judge(tracing, error);
}

enum status trace_run(struct casework *casework, const struct trace_options *options,
                      struct trace_report *report, struct error *error)
{
    *report = (struct trace_report){.before_ns = options->before_ns,
                                    .elsewhere = options->elsewhere,
                                    .error = TRACE_ERROR,
                                    .ratio = options->ratio};
    arena_init(&report->arena, REPORT_BYTES);
    struct tracing tracing = {.casework = casework, .options = options, .report = report};
    arena_init(&tracing.arena, ARENA_BYTES);
    enum status status = run(&tracing, error);
    contact_close(tracing.reader);
    world_free(&tracing.world);
    leak_free(&tracing.leak);
    free(tracing.canaries);
    arena_free(&tracing.arena);
    return status;
}

void trace_report_free(struct trace_report *report)
{
    arena_free(&report->arena);
}
