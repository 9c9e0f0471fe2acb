/* See since.h. */
#include "base/since.h"

#include <stdio.h>

#include "base/clock.h"

static const int64_t SECOND_NS = 1000000000;

int64_t since_after(int64_t last_dropped_ns)
{
    int64_t second = last_dropped_ns / SECOND_NS;
    if (last_dropped_ns % SECOND_NS < 0) /* before 1970: towards the past */
        second--;
    return second >= INT64_MAX / SECOND_NS ? INT64_MAX : (second + 1) * SECOND_NS;
}

int64_t since_day(int64_t since_ns)
{
    static const int64_t day_ns = 86400 * INT64_C(1000000000);
    int64_t day = since_ns / day_ns + (since_ns % day_ns > 0); /* towards later, before 1970 too */
    return day > INT64_MAX / day_ns ? INT64_MAX : day * day_ns;
}

void since_format(int64_t since_ns, char text[static SINCE_TEXT_ROOM])
{
    text[0] = '\0';
    if (since_ns != SINCE_EVER)
        clock_format_utc(since_ns, text);
}

void since_sentence(const char *since, char sentence[static SINCE_SENTENCE_ROOM])
{
    sentence[0] = '\0';
    if (since[0] != '\0')
        snprintf(sentence, SINCE_SENTENCE_ROOM,
                 "Records before %s were dropped by retention; this answer does not cover them.",
                 since);
}

enum status since_refuse(int64_t since_ns, int64_t to_ns, struct error *error)
{
    char since[SINCE_TEXT_ROOM];
    if (since_ns == SINCE_EVER || to_ns > since_ns)
        return STATUS_OK;
    since_format(since_ns, since);
    return error_set(error, STATUS_DENIED, "55000",
                     "Ask for a later time, or ask a backup of the ledger from before.",
                     "all records of that time were dropped by retention: the ledger covers what "
                     "came from %s on",
                     since);
}
