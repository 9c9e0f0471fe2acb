/* See notify.h. The bar goes to standard error: one line that is written over on a terminal, a line
 * every ten seconds elsewhere. */
#include "cli/notify.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"

enum { BAR_WIDTH = 24, TABLE_BYTES = 64 * 1024, NOTE_INDENT = 2 };
static const int64_t SECOND_NS = INT64_C(1000000000), LINE_EVERY_NS = INT64_C(10000000000);

/* Nothing here says that a person has received anything: nobody can know. */
static const char *const meanings[OUTBOX_STATES] = {
    [OUTBOX_READY] = "still to be sent",
    [OUTBOX_OFFERED] = "being sent",
    [OUTBOX_BEGUN] = "being sent; the mail server's answer is awaited",
    [OUTBOX_ACCEPTED] = "handed over to the mail server",
    [OUTBOX_REFUSED] = "refused by the mail server: a letter",
    [OUTBOX_DEFERRED] = "put off by the mail server: tried again later",
    [OUTBOX_IN_DOUBT] = "no answer came: the mail server may have it or not",
    [OUTBOX_BOUNCED] = "handed over, and came back: a letter",
    [OUTBOX_LETTER] = "no usable mail address: a letter",
    [OUTBOX_PUBLIC] = "neither mail nor post can be used: a public notice",
    [OUTBOX_SILENT] = "nobody is written to",
    [OUTBOX_ERASED] = "the person's data is gone",
};

static void add_instant(struct table *table, const char *name, int64_t time_ns)
{
    char text[21];
    if (time_ns == INT64_MIN || time_ns == INT64_MAX)
        return;
    clock_format_utc(time_ns, text);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", name);
    table_set(table, row, 2, "%s", text);
}

enum status cli_notify_states(const struct outbox_counts *counts, struct table *table,
                              struct error *error)
{
    table_init(table, TABLE_BYTES, (const char *const[]){"state", "people", "meaning", NULL});
    for (unsigned state = 0; state < OUTBOX_STATES; state++) {
        if (counts->states[state] == 0)
            continue;
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", outbox_state_name((enum outbox_state)state));
        table_set(table, row, 1, "%" PRIu64, counts->states[state]);
        table_set(table, row, 2, "%s", meanings[state]);
    }
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "all");
    table_set(table, row, 1, "%" PRIu64, counts->total);
    add_instant(table, "first handed over", counts->first_accepted_ns);
    add_instant(table, "last handed over", counts->last_accepted_ns);
    add_instant(table, "next attempt", counts->next_retry_ns);
    if (!table_overflowed(table))
        return STATUS_OK;
    table_free(table);
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

void cli_notify_print_summary(FILE *out, const struct table *summary)
{
    const char *columns[TABLE_MAX_COLUMNS + 1] = {NULL};
    size_t note = cli_column(summary, "note");
    struct table shown;
    for (size_t i = 0; i < note; i++)
        columns[i] = summary->columns[i];
    table_init(&shown, TABLE_BYTES, columns);
    for (const struct table_row *row = summary->first; row != NULL; row = row->next) {
        struct table_row *copy = table_add(&shown);
        for (size_t i = 0; i < note; i++)
            if (row->cells[i] != NULL)
                table_set(&shown, copy, i, "%s", row->cells[i]);
    }
    cli_print_wrapped(out, &shown);
    table_free(&shown);
    for (const struct table_row *row = summary->first; row != NULL; row = row->next)
        if (cli_cell(summary, row, "note")[0] != '\0') {
            fputs("\nnote:\n", out);
            cli_print_text(out, cli_cell(summary, row, "note"), NOTE_INDENT);
        }
    fputc('\n', out);
}

/* ---- the bar ---- */

void cli_notify_bar_start(struct cli_notify_bar *bar)
{
    *bar = (struct cli_notify_bar){.is_terminal = isatty(STDERR_FILENO) == 1};
}

static uint64_t count_done(const struct outbox_counts *counts)
{
    return counts->total - counts->states[OUTBOX_READY] - counts->states[OUTBOX_OFFERED] -
           counts->states[OUTBOX_BEGUN] - counts->states[OUTBOX_DEFERRED];
}

static void print_left(const struct sending_progress *progress, uint64_t rate_per_s)
{
    const uint64_t *states = progress->counts.states;
    uint64_t left = states[OUTBOX_READY] + states[OUTBOX_OFFERED] + states[OUTBOX_BEGUN];
    if (progress->trouble != NULL)
        fprintf(stderr, "  waiting: %s", progress->trouble);
    else if (progress->waiting_ns != INT64_MIN)
        fprintf(stderr, "  next attempt in %" PRId64 " s",
                (progress->waiting_ns - clock_now_ns()) / SECOND_NS + 1);
    else if (left > 0 && rate_per_s > 0)
        fprintf(stderr, "  %" PRIu64 ":%02" PRIu64 " left", left / rate_per_s / 60,
                left / rate_per_s % 60);
}

static void print_bar(const struct sending_progress *progress)
{
    const struct outbox_counts *counts = &progress->counts;
    uint64_t done = count_done(counts), total = counts->total > 0 ? counts->total : 1;
    uint64_t seconds = (uint64_t)(progress->elapsed_ns / SECOND_NS);
    uint64_t rate_per_s = progress->handed_over / (seconds > 0 ? seconds : 1);
    char bar[BAR_WIDTH + 1];
    for (size_t i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < done * BAR_WIDTH / total ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "[%s] %" PRIu64 " of %" PRIu64 "  %" PRIu64 "/s", bar, done, counts->total,
            rate_per_s);
    print_left(progress, rate_per_s);
    static const enum outbox_state told[] = {OUTBOX_REFUSED, OUTBOX_BOUNCED, OUTBOX_DEFERRED,
                                             OUTBOX_IN_DOUBT};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (counts->states[told[i]] > 0)
            fprintf(stderr, "  %s: %" PRIu64, outbox_state_name(told[i]), counts->states[told[i]]);
}

void cli_notify_bar_show(void *context, const struct sending_progress *progress)
{
    struct cli_notify_bar *bar = context;
    int64_t now_ns = clock_monotonic_ns();
    if (!bar->is_terminal && now_ns < bar->next_line_ns)
        return;
    bar->next_line_ns = now_ns + LINE_EVERY_NS;
    if (bar->is_terminal)
        fputs("\r\033[K", stderr);
    print_bar(progress);
    if (!bar->is_terminal)
        fputc('\n', stderr);
    fflush(stderr);
}

void cli_notify_bar_end(struct cli_notify_bar *bar)
{
    if (bar->is_terminal)
        fputs("\r\033[K", stderr);
}
