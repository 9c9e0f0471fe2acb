/* What staff may write when they open an incident. No state. */
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "incident/opening.h"

enum { OLDEST_DAYS = 366, DATE_CHARS = 10 /* 2026-11-22 */ };
static const int64_t second_ns = 1000000000, day_ns = 86400LL * 1000000000;
static const char form[] = "write 2026-11-22T09:30:00Z, with an offset such as +01:00, or now";

bool opening_is_long_ago(int64_t instant_ns, int64_t now_ns)
{
    return instant_ns != INT64_MIN && instant_ns < now_ns - OLDEST_DAYS * day_ns;
}

enum status opening_instant(const char *name, const char *text, int64_t now_ns, int64_t *instant_ns,
                            struct error *error)
{
    int64_t instant = now_ns;
    if (strcmp(text, "now") != 0 && clock_parse(text, &instant, NULL) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "22007", form, "%s: \"%.60s\" is not a time", name,
                         text);
    if (instant > now_ns)
        return error_set(error, STATUS_INVALID, "22008", form, "%s: %.60s is in the future", name,
                         text);
    *instant_ns = instant;
    return STATUS_OK;
}

/* Times are shown in whole seconds: who copies one means all of it. */
enum status opening_end(const char *name, const char *text, int64_t now_ns, int64_t *end_ns,
                        struct error *error)
{
    int64_t end;
    TRY(opening_instant(name, text, now_ns, &end, error));
    if (strcmp(text, "now") != 0 && strchr(text, '.') == NULL)
        end += (strlen(text) == DATE_CHARS ? day_ns : second_ns) - 1;
    *end_ns = end < now_ns ? end : now_ns;
    return STATUS_OK;
}

enum status opening_noticed(const char *name, const char *text, int64_t now_ns, int64_t *noticed_ns,
                            struct error *error)
{
    int64_t noticed;
    TRY(opening_instant(name, text, now_ns, &noticed, error));
    if (opening_is_long_ago(noticed, now_ns))
        return error_set(error, STATUS_INVALID, "22008", form, "%s: %.60s is more than a year ago",
                         name, text);
    *noticed_ns = noticed;
    return STATUS_OK;
}

enum status opening_actor(const char *by, struct error *error)
{
    for (; *by != '\0'; by++)
        if ((unsigned char)*by < ' ' || *by == 0x7F)
            return error_set(error, STATUS_INVALID, "22023", "--by NAME, on one line",
                             "the name of who acts has control characters");
    return STATUS_OK;
}

/* Serial numbers as openssl prints them: hexadecimal, colons between the bytes allowed. */
static bool is_serial(const char *text)
{
    size_t digits = 0;
    for (; *text != '\0'; text++) {
        if (*text != ':' && !isxdigit((unsigned char)*text))
            return false;
        digits += *text != ':';
    }
    return digits > 0;
}

enum status opening_suspect(const struct policy_partner *partner, const char *suspect,
                            struct error *error)
{
    enum { MOST_BYTES = 200 };
    static const char agent[] = "agent:", certificate[] = "certificate:", delivery[] = "delivery:";
    const char *colon = strchr(suspect, ':');
    const struct policy_agent *found;
    if (strcmp(suspect, "unknown") == 0)
        return STATUS_OK;
    bool has_value = colon != NULL && colon[1] != '\0' && strlen(suspect) <= MOST_BYTES;
    if (has_value && strncmp(suspect, agent, strlen(agent)) == 0)
        return policy_need_agent(partner, colon + 1, &found, error);
    if (has_value && strncmp(suspect, certificate, strlen(certificate)) == 0 &&
        is_serial(colon + 1))
        return STATUS_OK;
    if (has_value && strncmp(suspect, delivery, strlen(delivery)) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "22023",
                     "agent:NAME, certificate:SERIAL (hexadecimal), delivery:ID or unknown",
                     "--suspect: \"%.60s\" is none", suspect);
}
