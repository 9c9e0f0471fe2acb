/* Notes: what the figures cannot say of themselves. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/since.h"
#include "trace/forms.h"
#include "trace/judge.h"

enum { MOST_NOTES = 32, NAMES_ROOM = 300, BULK_RECORDS = 10 };

static void note(struct trace_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct trace_report *report, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *copy = arena_strdup(&report->arena, text);
    if (copy != NULL && report->note_count < MOST_NOTES)
        report->notes[report->note_count++] = copy;
}

/* Partners with just the best one's records: nothing in this file can tell them apart. */
static void note_equals(const struct evidence *evidence, size_t best)
{
    const struct world *world = &evidence->tracing->world;
    char names[NAMES_ROOM] = "";
    size_t len = 0;
    for (size_t p = 0; p < world->partner_count && len < sizeof names; p++)
        if (p != best &&
            memcmp(evidence->held[p], evidence->held[best], model_bits_bytes(evidence->count)) == 0)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len == 0 ? "" : ", ",
                                    world->partners[p].name);
    if (len > 0)
        note(evidence->tracing->report,
             "%s had exactly the same of these records as %s: nothing in the file tells their "
             "copies apart.",
             names, world->partners[best].name);
}

/* Had the partner all of the record, but for the forms: each column as here, or in clear? */
static bool had_in_clear(const struct evidence *evidence, const struct record *record,
                         size_t partner, uint16_t *have)
{
    const struct tracing *tracing = evidence->tracing;
    const uint16_t *forms = trace_forms(tracing, record->line);
    struct evidence_of of = {partner, SIZE_MAX, tracing->options->before_ns};
    if (record->person == TRACE_NOBODY || record->token_of != WORLD_NO_PARTNER ||
        evidence_have(evidence, record->person, of, have) == 0)
        return false;
    for (size_t c = 0; c < tracing->leak.column_count; c++)
        if (forms[c] != 0 && (have[c] & (forms[c] | FORM_CLEAR)) == 0)
            return false;
    return true;
}

/* The exact form speaks for the copy that had it, but any mask can be made of a clear value. */
static void note_clear(const struct evidence *evidence, size_t best)
{
    const struct tracing *tracing = evidence->tracing;
    uint16_t *have = calloc(tracing->leak.column_count + 1, sizeof *have);
    for (size_t p = 0; p < tracing->world.partner_count && have != NULL; p++) {
        uint64_t count = 0;
        for (size_t t = 0; t < evidence->count && p != best; t++)
            count += model_bit(evidence->held[best], t) && !model_bit(evidence->held[p], t) &&
                     had_in_clear(evidence, &evidence->records[t], p, have);
        if (count > 0)
            note(tracing->report,
                 "%s had %" PRIu64 " of these records in clear: whoever has that copy can make "
                 "these forms of it, and the figures take the forms as they are.",
                 tracing->world.partners[p].name, count);
    }
    free(have);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The statement by which the partner first had this person. */
static uint64_t statement_of(const struct evidence *evidence, uint32_t person, size_t partner)
{
    const struct world *world = &evidence->tracing->world;
    for (size_t i = evidence->first[person]; i < evidence->first[person + 1]; i++)
        if (world->copies[world->series[world->holdings[i].series].copy].partner == partner)
            return world->holdings[i].statement;
    return 0;
}

/* Independence is false where most records went in one statement. */
static void note_bulk(const struct evidence *evidence, size_t best)
{
    uint64_t *statements = calloc(evidence->count + 1, sizeof *statements), most = 0, run = 0;
    size_t count = 0;
    for (size_t t = 0; t < evidence->count && statements != NULL; t++)
        if (model_bit(evidence->held[best], t) && evidence->records[t].person != TRACE_NOBODY)
            statements[count++] = statement_of(evidence, evidence->records[t].person, best);
    if (count > 0)
        qsort(statements, count, sizeof *statements, compare_numbers);
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && statements[i] == statements[i - 1] ? run + 1 : 1;
        most = run > most ? run : most;
    }
    free(statements);
    if (count >= BULK_RECORDS && 2 * most >= count)
        note(evidence->tracing->report,
             "%" PRIu64 " of the %zu records that %s had went to it in one statement: they are not "
             "independent of each other, and the figures are surer than they should be.",
             most, count, evidence->tracing->world.partners[best].name);
}

static void note_deletion(const struct evidence *evidence, size_t best)
{
    const struct tracing *tracing = evidence->tracing;
    const struct world_partner *partner = &tracing->world.partners[best];
    char before[21], at[21];
    if (partner->deleted_before_ns == INT64_MIN)
        return;
    clock_format_utc(partner->deleted_before_ns, before);
    clock_format_utc(partner->attested_ns, at);
    for (size_t i = 0; i < tracing->canary_count; i++)
        if (strcmp(tracing->canaries[i].partner, partner->name) == 0 &&
            tracing->canaries[i].opened_ns < partner->deleted_before_ns) {
            note(
                tracing->report,
                "%s attested on %s (%s) that all it had before %s is deleted. Canaries of delivery "
                "%s, which it had before that, are in this file: if the leak is later than the "
                "attestation, that casts doubt on it.",
                partner->name, at, partner->request, before, tracing->canaries[i].delivery);
            return;
        }
    note(tracing->report,
         "%s attested on %s (%s) that all it had before %s is deleted. It is a claim: the copy "
         "stays in this list.",
         partner->name, at, partner->request, before);
}

/* Of each copy: what its owner said before the leak is gone. */
static void note_deleted(struct trace_report *report)
{
    enum { MOST = 8 };
    char at[21];
    size_t noted = 0;
    for (size_t i = 0; i < report->source_count && noted < MOST; i++) {
        const struct trace_source *source = &report->sources[i];
        if (source->deleted == 0)
            continue;
        clock_format_utc(source->attested_ns, at);
        note(report,
             "Of the %" PRIu64 " records that %s had, it attested %" PRIu64
             " as deleted before the leak, and was not given them again (last on %s, %s). The "
             "claim lowers no figure.",
             source->records, source->partner, source->deleted, at, source->request);
        noted++;
    }
}

/* What retention dropped, and what its dropping leaves known. */
static void note_cut(const struct tracing *tracing)
{
    struct trace_report *report = tracing->report;
    char sentence[SINCE_SENTENCE_ROOM];
    since_sentence(report->since, sentence);
    if (sentence[0] == '\0')
        return;
    note(report,
         "%s Copies that were given before stand in the list as one source, which is taken to have "
         "had everything but what was made for one copy alone: tokens and canaries still decide. "
         "A backup of the ledger from before the retention tells more; --prior older=P says how "
         "probable such a copy is.",
         sentence);
    for (size_t i = 0; i < tracing->canary_count; i++)
        if (tracing->canaries[i].opened_ns < tracing->world.since_ns) {
            note(report,
                 "Delivery %s to %s began before that: its canaries are vouched for by acts that "
                 "were kept, but which people were in it was dropped.",
                 tracing->canaries[i].delivery, tracing->canaries[i].partner);
            return;
        }
}

static void note_canaries(const struct tracing *tracing)
{
    for (size_t i = 1; i < tracing->canary_count; i++)
        if (strcmp(tracing->canaries[i].partner, tracing->canaries[0].partner) != 0) {
            note(tracing->report,
                 "Canaries of deliveries to more than one partner (%s, %s) are in the file: it may "
                 "be put together from several copies, and the posterior assumes one source.",
                 tracing->canaries[0].partner, tracing->canaries[i].partner);
            return;
        }
}

/* deliveries.sqlite against the ledger. */
static void note_committed(const struct tracing *tracing)
{
    const struct committed *deliveries = &tracing->world.deliveries;
    const char *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < deliveries->count; i++) {
        const struct committed_delivery *at = &deliveries->all[i];
        bool broken = at->complete && at->commitment != NULL && !at->stands;
        first = broken && first == NULL ? at->id : first;
        count += broken;
    }
    if (count > 0)
        note(tracing->report,
             "The stored canaries of %zu deliveries, %s first, are not those that the ledger has "
             "the hash of: deliveries.sqlite was changed or is missing, and they count for "
             "nothing. Restore it from a backup, and ask who could write it.",
             count, first);
    if (tracing->refused[0] != '\0')
        note(tracing->report,
             "Values of the file are stored as canaries of delivery %s and count for nothing: %s.",
             tracing->refused, tracing->refused_why);
}

static void note_sub_processors(const struct tracing *tracing)
{
    const struct trace_source *best = &tracing->report->sources[tracing->report->best];
    const struct policy_partner *partner =
        best->partner == NULL ? NULL
                              : policy_find_partner(tracing->casework->policy, best->partner);
    char names[NAMES_ROOM] = "";
    size_t len = 0;
    if (partner == NULL || partner->sub_processor_count == 0)
        return;
    for (size_t i = 0; i < partner->sub_processor_count && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i == 0 ? "" : ", ",
                                partner->sub_processors[i]);
    note(tracing->report,
         "%s has sub-processors (%s): the ledger cannot tell its copy from one that was passed on "
         "to them.",
         best->partner, names);
}

static void note_limits(const struct tracing *tracing)
{
    struct trace_report *report = tracing->report;
    char first[21];
    if (report->unheld > 0)
        note(report,
             "%" PRIu64 " records had gone to no partner in this form before the leak%s another "
             "source, a way past the gateway, or values that have changed since.",
             report->unheld,
             report->since[0] == '\0' ? ":" : ", as far as the records go back: an older copy,");
    if (report->undisclosed > 0)
        note(report,
             "%" PRIu64
             " lines are of people of yours of whom the ledger has no disclosure (or who "
             "were forgotten here): they speak for another source, and are in no figure.",
             report->undisclosed);
    if (tracing->options->before_ns >= clock_now_ns())
        note(report, "No time of the leak was given (--leaked-before): all that went out until now "
                     "counts as had before it.");
    if (report->ledger_first_ns != INT64_MIN && report->since[0] == '\0') {
        clock_format_utc(report->ledger_first_ns, first);
        note(report,
             "The ledger begins on %.10s. It proves what was disclosed, not what was stolen; what "
             "went past the gateway counts where it was declared.",
             first);
    }
}

enum status judge_notes(const struct evidence *evidence, struct error *error)
{
    const struct tracing *tracing = evidence->tracing;
    struct trace_report *report = tracing->report;
    report->notes = arena_array(&report->arena, const char *, MOST_NOTES);
    if (report->notes == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    const struct trace_source *best = &report->sources[report->best];
    if (best->partner != NULL && best->records > 0) {
        size_t partner = world_find_partner(&tracing->world, best->partner);
        note_equals(evidence, partner);
        note_clear(evidence, partner);
        note_bulk(evidence, partner);
        note_deletion(evidence, partner);
        note_sub_processors(tracing);
    }
    note_cut(tracing);
    note_deleted(report);
    note_committed(tracing);
    note_canaries(tracing);
    note_limits(tracing);
    return STATUS_OK;
}
