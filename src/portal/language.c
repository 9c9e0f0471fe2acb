/* Choosing by headers. A header that is none chooses the default. Any thread. */
#include "portal/language.h"

#include <string.h>
#include <strings.h>

enum { WHOLE = 1000 };

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Of "; q=0.8" in thousandths; WHOLE where there is none; 0 where it is no weight. */
static int weight_of(const char *at, size_t len)
{
    const char *end = at + len;
    at = skip_blanks(at, end);
    if (at == end)
        return WHOLE;
    at = skip_blanks(at + 1, end);
    if (end - at < 3 || strncasecmp(at, "q=", 2) != 0)
        return 0;
    int weight = at[2] == '1' ? WHOLE : 0, place = WHOLE / 10;
    for (at += 4; at < end && *at >= '0' && *at <= '9' && place > 0; at++) {
        weight += (*at - '0') * place;
        place /= 10;
    }
    return weight > WHOLE ? WHOLE : weight;
}

size_t language_choose(const char *header, const char *const *languages, size_t count)
{
    size_t best = 0;
    int best_weight = 0;
    while (header != NULL && *header != '\0') {
        size_t len = strcspn(header, ",");
        size_t lead = strspn(header, " \t");
        lead = lead < len ? lead : len;
        const char *range = header + lead;
        size_t tag = strcspn(range, ";, \t"), primary = strcspn(range, "-;, \t");
        int weight = weight_of(range + tag, len - lead - tag);
        for (size_t i = 0; i < count && weight > best_weight; i++) {
            if (strlen(languages[i]) == primary && strncasecmp(range, languages[i], primary) == 0) {
                best = i;
                best_weight = weight;
            }
        }
        header += len + (header[len] == ',');
    }
    return best;
}

bool host_is(const char *header, const char *host)
{
    if (header == NULL)
        return false;
    size_t len = strcspn(header, ":");
    return strlen(host) == len && strncasecmp(header, host, len) == 0;
}
