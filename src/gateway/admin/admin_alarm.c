/* Alarms, for staff: what was raised, that somebody has seen to it, whether receivers answer. */
#include "gateway/admin/admin_recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/trust/canary_watch.h"

static enum status id_of(struct asking *asking, int64_t *id, struct error *error)
{
    const char *text = admin_option(asking, "ID");
    size_t len = text == NULL ? 0 : strspn(text, "0123456789");
    if (len == 0 || len > 18 || text[len] != '\0')
        return error_set(error, STATUS_DENIED, "22023", "cofferdam alarm list shows them",
                         "\"%.40s\" is not the number of an alarm", text == NULL ? "" : text);
    *id = strtoll(text, NULL, 10);
    return STATUS_OK;
}

/* SHOW ALARMS [STATE 'open'] */
enum status admin_show_alarms(struct asking *asking, struct table *table, struct error *error)
{
    const char *state = admin_option(asking, "STATE");
    if (state != NULL && strcmp(state, "open") != 0)
        return error_set(error, STATUS_DENIED, "22023", "write STATE 'open', or nothing",
                         "alarms are open or not");
    return alarm_list(asking->server->alarms, state != NULL, table, error);
}

/* SHOW ALARM ID '1' */
enum status admin_show_alarm(struct asking *asking, struct table *table, struct error *error)
{
    int64_t id = 0;
    TRY(id_of(asking, &id, error));
    return alarm_show(asking->server->alarms, id, table, error);
}

static void one_number(struct table *table, const char *name, int64_t number)
{
    const char *const columns[] = {name, NULL};
    table_init(table, ADMIN_TABLE_BYTES, columns);
    table_set(table, table_add(table), 0, "%" PRId64, number);
}

/* ACKNOWLEDGE ALARM ID '1' NOTE 'what was found' */
enum status admin_acknowledge_alarm(struct asking *asking, struct table *table, struct error *error)
{
    const char *note;
    int64_t id = 0;
    TRY(id_of(asking, &id, error));
    TRY(recording_text(asking, "NOTE", true, &note, error));
    TRY(alarm_acknowledge(asking->server->alarms, id, asking->by, note, error));
    one_number(table, "alarm", id);
    return STATUS_OK;
}

/* TEST ALARMS: does not wait for receivers, since containing may come next. */
enum status admin_test_alarms(struct asking *asking, struct table *table, struct error *error)
{
    int64_t id = 0;
    TRY(alarm_test(asking->server->alarms, asking->by, &id, error));
    one_number(table, "alarm", id);
    return STATUS_OK;
}

/* ---- mail to invented people ---- */

struct mailed {
    struct asking *asking;
    struct table *table;
    const char *sender, *message;
};

static bool is_told(const struct table *table, const char *delivery)
{
    const struct table_row *row = table->first;
    while (row != NULL && strcmp(row->cells[0], delivery) != 0)
        row = row->next;
    return row != NULL;
}

static enum status raise_mailed(struct mailed *mailed, const struct canary_sighting *sighting,
                                struct error *error)
{
    char text[ALARM_TEXT_BYTES];
    int64_t id = 0;
    snprintf(text, sizeof text,
             "mail, by its own words from %.100s, Message-ID %.64s, came to an address of an "
             "invented person of delivery %s, which %s was given",
             mailed->sender, mailed->message, sighting->delivery, sighting->partner);
    const struct alarm alarm = {.rule = ALARM_CANARY_MAILED,
                                .partner = sighting->partner,
                                .about = sighting->delivery,
                                .text = text,
                                .contain = ALARM_TELL};
    TRY(alarm_raise_stored(mailed->asking->server->alarms, &alarm, &id, error));
    struct table_row *row = table_add(mailed->table);
    table_set(mailed->table, row, 0, "%s", sighting->delivery);
    table_set(mailed->table, row, 1, "%s", sighting->partner);
    if (id != 0)
        table_set(mailed->table, row, 2, "%" PRId64, id);
    return STATUS_OK;
}

static enum status look_at_recipient(struct mailed *mailed, struct slice address,
                                     struct error *error)
{
    struct canary_watch *canaries = mailed->asking->server->canaries;
    struct canary_look look = {.values = 0};
    struct canary_sighting sighting;
    canary_look_at(canaries, &look, address);
    for (size_t at = 0; canary_look_result(canaries, &look, at, &sighting); at++)
        if (!is_told(mailed->table, sighting.delivery))
            TRY(raise_mailed(mailed, &sighting, error));
    return STATUS_OK;
}

/* REPORT MAIL TO 'an address a line' [FROM 'domain'] [MESSAGE 'hash']: one alarm a delivery. They
 * are stored when it returns; alarm is NULL where it was counted as the same as one before. */
enum status admin_report_mail(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"delivery", "partner", "alarm", NULL};
    const char *to = admin_option(asking, "TO"), *from = admin_option(asking, "FROM"),
               *message = admin_option(asking, "MESSAGE");
    struct mailed mailed = {.asking = asking,
                            .table = table,
                            .sender = from == NULL || from[0] == '\0' ? "nobody" : from,
                            .message = message == NULL || message[0] == '\0' ? "none" : message};
    if (to == NULL)
        return admin_syntax(error, "REPORT MAIL TO 'an address a line'");
    table_init(table, ADMIN_TABLE_BYTES, columns);
    enum status status = STATUS_OK;
    for (const char *end; status == STATUS_OK && *to != '\0'; to = end + (*end != '\0')) {
        end = to + strcspn(to, "\n");
        status = look_at_recipient(&mailed, slice_of(to, (size_t)(end - to)), error);
    }
    if (status != STATUS_OK)
        table_free(table);
    return status;
}
