/* Alarms, for staff: what was raised, that somebody has seen to it, whether receivers answer. */
#include "gateway/admin_recording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
    int64_t id;
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
    int64_t id;
    TRY(id_of(asking, &id, error));
    TRY(recording_text(asking, "NOTE", true, &note, error));
    TRY(alarm_acknowledge(asking->server->alarms, id, asking->by, note, error));
    one_number(table, "alarm", id);
    return STATUS_OK;
}

/* TEST ALARMS: does not wait for receivers, since containing may come next. */
enum status admin_test_alarms(struct asking *asking, struct table *table, struct error *error)
{
    int64_t id;
    TRY(alarm_test(asking->server->alarms, asking->by, &id, error));
    one_number(table, "alarm", id);
    return STATUS_OK;
}
