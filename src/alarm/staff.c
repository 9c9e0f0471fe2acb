/* What staff ask the desk: what was raised, that somebody has seen to it, and whether receivers
 * answer. */
#include "alarm/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { NOTE_BYTES = 400, ADVICE_BYTES = 4096 };

enum status alarm_list(struct alarm_desk *desk, bool open_only, struct table *table,
                       struct error *error)
{
    pthread_mutex_lock(&desk->file_lock);
    enum status status = alarms_list(desk->file, open_only, table, error);
    pthread_mutex_unlock(&desk->file_lock);
    return status;
}

static const char *cell(const struct table *table, const char *name)
{
    for (size_t column = 0; column < table->column_count; column++)
        if (strcmp(table->columns[column], name) == 0 && table->first->cells[column] != NULL)
            return table->first->cells[column];
    return "";
}

/* What to do about it stands in the last column, until somebody has seen to it. */
static void put_commands(int64_t id, struct table *table)
{
    const struct alarms_entry alarm = {.id = id,
                                       .rule = cell(table, "rule"),
                                       .partner = cell(table, "partner"),
                                       .agent = cell(table, "agent"),
                                       .about = cell(table, "about"),
                                       .contained = cell(table, "contained")};
    struct buffer text;
    if (cell(table, "acknowledged")[0] != '\0')
        return;
    buffer_init(&text, ADVICE_BYTES);
    alarm_advise(&alarm, &text);
    const char *commands = buffer_text(&text);
    for (struct table_row *row = table->first; commands != NULL && row != NULL; row = row->next)
        table_set(table, row, table->column_count - 1, "%.*s", (int)strlen(commands) - 1, commands);
    buffer_free(&text);
}

enum status alarm_show(struct alarm_desk *desk, int64_t id, struct table *table,
                       struct error *error)
{
    pthread_mutex_lock(&desk->file_lock);
    enum status status = alarms_show(desk->file, id, table, error);
    pthread_mutex_unlock(&desk->file_lock);
    if (status == STATUS_OK)
        put_commands(id, table);
    return status;
}

static enum status into_ledger(struct alarm_desk *desk, const char *text, struct error *error)
{
    struct ledger_entry entry = {.type = LEDGER_ACT, .chunk_count = 1, .text = slice_of_text(text)};
    uint64_t sequence;
    TRY(ledger_append(desk->options.ledger, &entry, slice_of(NULL, 0), &sequence, error));
    ledger_wait(desk->options.ledger, sequence);
    return STATUS_OK;
}

enum status alarm_acknowledge(struct alarm_desk *desk, int64_t id, const char *by, const char *note,
                              struct error *error)
{
    char text[NOTE_BYTES + 200];
    pthread_mutex_lock(&desk->file_lock);
    enum status status = alarms_acknowledge(desk->file, id, by, note, clock_now_ns(), error);
    pthread_mutex_unlock(&desk->file_lock);
    TRY(status);
    snprintf(text, sizeof text, "%s\nid=%" PRId64 "\nby=%.80s\nnote=%.*s\n", ALARM_ACT_ACKNOWLEDGED,
             id, by, NOTE_BYTES, note);
    log_event(LOG_INFO, "alarm_acknowledged", "alarm=%" PRId64 " by=\"%.80s\"", id, by);
    return into_ledger(desk, text, error);
}

/* Whatever waits is tried at once, by those who wanted no more, too. */
static enum status hurry(struct alarm_desk *desk, struct error *error)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&desk->file_lock);
    for (size_t i = 0; i < desk->courier_count && status == STATUS_OK; i++)
        status = alarms_go_on(desk->file, desk->receivers[i], error);
    pthread_mutex_unlock(&desk->file_lock);
    return status;
}

enum status alarm_test(struct alarm_desk *desk, const char *by, int64_t *id, struct error *error)
{
    struct alarm_raised raised = {.alarm.rule = ALARM_TEST, .raised_ns = clock_now_ns()};
    snprintf(raised.alarm.text, sizeof raised.alarm.text,
             "a test by %.80s: nothing has happened, nothing is to be done", by);
    TRY(hurry(desk, error));
    alarm_record(desk, &raised, id);
    return *id != 0 ? STATUS_OK
                    : error_set(error, STATUS_IO, "58030", "the log says why",
                                "the test alarm could not be stored");
}
