/* See raises.h. */
#include "exposure/raises.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

void raises_free(struct raises *raises)
{
    free(raises->all);
    free(raises->warned);
    *raises = (struct raises){0};
}

/* ---- reading acts ---- */

static bool begins_with(struct slice text, const char *line)
{
    size_t len = strlen(line);
    return text.len > len && memcmp(text.data, line, len) == 0 && text.data[len] == '\n';
}

static bool read_text(struct slice text, const char *key, char *out, size_t room)
{
    struct slice value = ledger_text_value(text, key);
    if (value.len == 0 || value.len >= room)
        return false;
    memcpy(out, value.data, value.len);
    out[value.len] = '\0';
    return true;
}

static bool read_number(struct slice text, const char *key, uint64_t *out)
{
    char digits[20], *end;
    if (!read_text(text, key, digits, sizeof digits))
        return false;
    *out = strtoull(digits, &end, 10);
    return *end == '\0' && digits[0] >= '0' && digits[0] <= '9';
}

static bool read_instant(struct slice text, const char *key, int64_t *out)
{
    char instant[40];
    return read_text(text, key, instant, sizeof instant) &&
           clock_parse(instant, out, NULL) == STATUS_OK;
}

/* ---- raises ---- */

static void drop_ended(struct raises *raises, int64_t now_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < raises->count; i++)
        if (raises->all[i].until_ns > now_ns && raises->all[i].state != EXPOSURE_RAISE_REVOKED)
            raises->all[kept++] = raises->all[i];
    raises->count = kept;
}

static void take_proposal(struct raises *raises, uint64_t sequence, int64_t time_ns,
                          struct slice text)
{
    struct exposure_raise raise = {.id = sequence, .state = EXPOSURE_RAISE_PROPOSED};
    if (!read_text(text, "limit", raise.limit, sizeof raise.limit) ||
        !read_number(text, "to", &raise.to) || !read_instant(text, "until", &raise.until_ns) ||
        !read_text(text, "by", raise.by, sizeof raise.by))
        return;
    drop_ended(raises, time_ns);
    if (raises->count == raises->capacity) {
        raises->capacity = raises->capacity == 0 ? 4 : raises->capacity * 2;
        raises->all = realloc(raises->all, raises->capacity * sizeof *raises->all);
        CHECK(raises->all != NULL);
    }
    raises->all[raises->count++] = raise;
}

static struct exposure_raise *find(struct raises *raises, struct slice text)
{
    uint64_t id;
    if (!read_number(text, "id", &id))
        return NULL;
    for (size_t i = 0; i < raises->count; i++)
        if (raises->all[i].id == id)
            return &raises->all[i];
    return NULL;
}

static void take_approval(struct raises *raises, struct slice text)
{
    struct exposure_raise *raise = find(raises, text);
    if (raise == NULL || raise->state != EXPOSURE_RAISE_PROPOSED ||
        !read_text(text, "by", raise->approved_by, sizeof raise->approved_by))
        return;
    raise->state = EXPOSURE_RAISE_APPROVED;
}

static void take_revocation(struct raises *raises, struct slice text)
{
    struct exposure_raise *raise = find(raises, text);
    if (raise != NULL)
        raise->state = EXPOSURE_RAISE_REVOKED;
}

uint64_t raises_bound(const struct raises *raises, const char *limit, uint64_t bound,
                      int64_t now_ns, int64_t *until_ns)
{
    if (bound == 0)
        return 0;
    for (size_t i = 0; i < raises->count; i++) {
        const struct exposure_raise *raise = &raises->all[i];
        if (raise->state != EXPOSURE_RAISE_APPROVED || raise->until_ns <= now_ns ||
            raise->to <= bound || strcmp(raise->limit, limit) != 0)
            continue;
        bound = raise->to;
        *until_ns = raise->until_ns;
    }
    return bound;
}

/* ---- warnings ---- */

static struct warned *warned_at(const struct raises *raises, const char *limit)
{
    for (size_t i = 0; i < raises->warned_count; i++)
        if (strcmp(raises->warned[i].limit, limit) == 0)
            return &raises->warned[i];
    return NULL;
}

static void keep_warning(struct raises *raises, const struct warned *warning)
{
    struct warned *at = warned_at(raises, warning->limit);
    if (at == NULL) {
        raises->warned =
            realloc(raises->warned, (raises->warned_count + 1) * sizeof *raises->warned);
        CHECK(raises->warned != NULL);
        at = &raises->warned[raises->warned_count++];
    }
    *at = *warning;
}

static void take_warning(struct raises *raises, int64_t time_ns, struct slice text)
{
    int64_t from_ns;
    struct warned warning = {.from = INT64_MIN, .at = window_quarter(time_ns)};
    if (!read_text(text, "limit", warning.limit, sizeof warning.limit) ||
        !read_number(text, "of", &warning.bound))
        return;
    if (read_instant(text, "from", &from_ns))
        warning.from = window_quarter(from_ns);
    keep_warning(raises, &warning);
}

bool raises_warned(const struct raises *raises, const struct gauge *gauge, uint64_t bound,
                   int64_t quarter)
{
    const struct warned *last = warned_at(raises, gauge->name);
    if (last == NULL || last->bound != bound)
        return false;
    if (gauge->window < POLICY_PER_24H || gauge->window == POLICY_EVER)
        return last->from == gauge->at.from;
    return quarter - last->at < (int64_t)window_days(gauge->window) * WINDOW_QUARTERS_A_DAY;
}

void raises_warn(struct raises *raises, const struct gauge *gauge, uint64_t bound, int64_t quarter)
{
    struct warned warning = {.bound = bound, .from = gauge->at.from, .at = quarter};
    snprintf(warning.limit, sizeof warning.limit, "%s", gauge->name);
    keep_warning(raises, &warning);
}

void raises_take(struct raises *raises, uint64_t sequence, int64_t time_ns, struct slice text)
{
    if (begins_with(text, EXPOSURE_ACT_PROPOSED))
        take_proposal(raises, sequence, time_ns, text);
    else if (begins_with(text, EXPOSURE_ACT_RAISED))
        take_approval(raises, text);
    else if (begins_with(text, EXPOSURE_ACT_REVOKED))
        take_revocation(raises, text);
    else if (begins_with(text, EXPOSURE_ACT_WARNING))
        take_warning(raises, time_ns, text);
}
