/* See policy_usage.h. Every entry of a partner is looked at: what its column sets name was used by
 * the agent and for the purpose that the entry has. */
#include "cli/policy_usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cli/policy_history.h"
#include "exposure/column_line.h"

/* A column set, in terms of the policy. */
struct known_set {
    struct known_column {
        size_t dataset, column;
    } * columns;
    size_t count;
};

struct reading {
    struct policy_usage *usage;
    struct known_set *sets; /* by id */
    size_t set_count;
    struct policy_history history;
};

/* ---- where it stands ---- */

static size_t columns_before(const struct policy *policy, size_t partner, size_t grant)
{
    size_t count = 0;
    for (size_t p = 0; p <= partner && p < policy->partner_count; p++)
        for (size_t g = 0; g < policy->partners[p].grant_count && (p < partner || g < grant); g++)
            count += policy->partners[p].grants[g].column_count;
    return count;
}

static size_t grants_before(const struct policy *policy, size_t partner)
{
    size_t count = 0;
    for (size_t p = 0; p < partner; p++)
        count += policy->partners[p].grant_count;
    return count;
}

static size_t agents_before(const struct policy *policy, size_t partner)
{
    size_t count = 0;
    for (size_t p = 0; p < partner; p++)
        count += policy->partners[p].agent_count;
    return count;
}

const struct usage_times *policy_usage_column(const struct policy_usage *usage, size_t partner,
                                              size_t grant, size_t column)
{
    return &usage->columns[columns_before(usage->policy, partner, grant) + column];
}

int64_t policy_usage_counted_ns(const struct policy_usage *usage, size_t partner, size_t grant)
{
    return usage->counted_ns[grants_before(usage->policy, partner) + grant];
}

const struct usage_times *policy_usage_agent(const struct policy_usage *usage, size_t partner,
                                             size_t agent)
{
    return &usage->agents[agents_before(usage->policy, partner) + agent];
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_text(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_of_text(text));
}

/* ---- column sets ---- */

static enum status add_column(struct known_set *set, const struct policy *policy,
                              const struct column_line *line, struct error *error)
{
    for (size_t d = 0; d < policy->dataset_count; d++) {
        const struct policy_dataset *dataset = &policy->datasets[d];
        for (size_t c = 0; c < dataset->column_count && is_text(line->dataset, dataset->name);
             c++) {
            if (!is_text(line->column, dataset->columns[c].name))
                continue;
            struct known_column *grown =
                realloc(set->columns, (set->count + 1) * sizeof *set->columns);
            if (grown == NULL)
                return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
            set->columns = grown;
            set->columns[set->count++] = (struct known_column){.dataset = d, .column = c};
        }
    }
    return STATUS_OK;
}

static enum status take_set(struct reading *reading, const struct ledger_entry *entry,
                            struct error *error)
{
    size_t id = entry->column_set;
    if (id >= reading->set_count) {
        struct known_set *grown = realloc(reading->sets, (id + 1) * sizeof *grown);
        if (grown == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        memset(grown + reading->set_count, 0, (id + 1 - reading->set_count) * sizeof *grown);
        reading->sets = grown;
        reading->set_count = id + 1;
    }
    struct known_set *set = &reading->sets[id];
    char *text = strndup((const char *)entry->text.data, entry->text.len);
    if (text == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    const char *at = text;
    struct column_line line;
    enum status status = STATUS_OK;
    set->count = 0;
    while (status == STATUS_OK && column_line_next(&at, &line))
        status = add_column(set, reading->usage->policy, &line, error);
    free(text);
    return status;
}

/* ---- use ---- */

static void use(struct usage_times *times, int64_t at_ns)
{
    if (times->used_ns < at_ns)
        times->used_ns = at_ns;
}

static bool covers(const struct policy_grant *grant, const struct ledger_entry *entry)
{
    return (grant->agent == NULL || is_text(entry->agent, grant->agent)) &&
           (grant->purpose == NULL || is_text(entry->purpose, grant->purpose));
}

static void use_set(struct reading *reading, size_t p, const struct ledger_entry *entry,
                    uint32_t id)
{
    const struct policy_partner *partner = &reading->usage->policy->partners[p];
    if (id >= reading->set_count)
        return;
    const struct known_set *set = &reading->sets[id];
    struct usage_times *times =
        &reading->usage->columns[columns_before(reading->usage->policy, p, 0)];
    for (size_t g = 0; g < partner->grant_count; times += partner->grants[g++].column_count) {
        const struct policy_grant *grant = &partner->grants[g];
        if (!covers(grant, entry))
            continue;
        for (size_t c = 0; c < grant->column_count; c++)
            for (size_t i = 0; i < set->count; i++)
                if (set->columns[i].dataset == grant->dataset &&
                    set->columns[i].column == grant->columns[c].column)
                    use(&times[c], entry->time_ns);
    }
}

/* Is the name one of those, parted by blanks? "*" is any. */
static bool lists(struct slice names, const char *name)
{
    size_t len = strlen(name), at = 0;
    while (at < names.len) {
        const uint8_t *blank = memchr(names.data + at, ' ', names.len - at);
        size_t end = blank == NULL ? names.len : (size_t)(blank - names.data);
        if ((end - at == len && memcmp(names.data + at, name, len) == 0) ||
            (end - at == 1 && names.data[at] == '*'))
            return true;
        at = end + 1;
    }
    return false;
}

static void use_counted(struct reading *reading, size_t p, const struct ledger_entry *entry)
{
    struct policy_usage *usage = reading->usage;
    const struct policy_partner *partner = &usage->policy->partners[p];
    struct slice names = ledger_text_value(entry->text, "counted");
    int64_t *times = &usage->counted_ns[grants_before(usage->policy, p)];
    for (size_t g = 0; g < partner->grant_count && names.len > 0; g++) {
        const struct policy_grant *grant = &partner->grants[g];
        if (covers(grant, entry) && times[g] < entry->time_ns &&
            lists(names, usage->policy->datasets[grant->dataset].name))
            times[g] = entry->time_ns;
    }
}

static void take_use(struct reading *reading, const struct ledger_entry *entry)
{
    const struct policy *policy = reading->usage->policy;
    size_t p = 0;
    while (p < policy->partner_count && !is_text(entry->partner, policy->partners[p].name))
        p++;
    if (p == policy->partner_count)
        return;
    const struct policy_partner *partner = &policy->partners[p];
    for (size_t a = 0; a < partner->agent_count; a++)
        if (is_text(entry->agent, partner->agents[a].name))
            use(&reading->usage->agents[agents_before(policy, p) + a], entry->time_ns);
    if (entry->type != LEDGER_DISCLOSURE && entry->type != LEDGER_CHANGE)
        return;
    use_set(reading, p, entry, entry->column_set);
    if (entry->type == LEDGER_DISCLOSURE)
        use_counted(reading, p, entry);
    for (size_t i = 0; i < entry->item_count; i++)
        use_set(reading, p, entry, entry->items[i].column_set);
}

/* ---- since when ---- */

/* Does the policy give this column by a grant that is for the same agents and purposes? */
static bool gives(const struct policy_partner *partner, const struct policy *policy,
                  const struct policy_grant *like, const char *dataset, const char *column)
{
    for (size_t g = 0; g < partner->grant_count; g++) {
        const struct policy_grant *grant = &partner->grants[g];
        const struct policy_dataset *of = &policy->datasets[grant->dataset];
        if (strcmp(of->name, dataset) != 0 || !same_text(grant->agent, like->agent) ||
            !same_text(grant->purpose, like->purpose))
            continue;
        for (size_t c = 0; c < grant->column_count; c++)
            if (strcmp(of->columns[grant->columns[c].column].name, column) == 0)
                return true;
    }
    return false;
}

static void go_on(struct usage_times *times, bool given, int64_t at_ns)
{
    if (!given)
        times->granted_ns = INT64_MAX;
    else if (times->granted_ns == INT64_MAX)
        times->granted_ns = at_ns;
}

/* now: the policy that is in force from at_ns on; NULL: one that cannot be read, and gives nothing
 * that would be known. */
static void take_policy(struct policy_usage *usage, const struct policy *now, int64_t at_ns)
{
    const struct policy *policy = usage->policy;
    struct usage_times *columns = usage->columns, *agents = usage->agents;
    for (size_t p = 0; p < policy->partner_count; p++) {
        const struct policy_partner *partner = &policy->partners[p];
        const struct policy_partner *then =
            now == NULL ? NULL : policy_find_partner(now, partner->name);
        for (size_t a = 0; a < partner->agent_count; a++) {
            const struct policy_partner *found;
            go_on(agents++,
                  now != NULL && policy_find_agent(now, partner->agents[a].login, &found) != NULL,
                  at_ns);
        }
        for (size_t g = 0; g < partner->grant_count; g++) {
            const struct policy_grant *grant = &partner->grants[g];
            const struct policy_dataset *dataset = &policy->datasets[grant->dataset];
            for (size_t c = 0; c < grant->column_count; c++)
                go_on(columns++,
                      then != NULL && gives(then, now, grant, dataset->name,
                                            dataset->columns[grant->columns[c].column].name),
                      at_ns);
        }
    }
}

/* A grant that begins later is not used before. */
static void begin_grants(struct policy_usage *usage)
{
    struct usage_times *times = usage->columns;
    for (size_t p = 0; p < usage->policy->partner_count; p++) {
        const struct policy_partner *partner = &usage->policy->partners[p];
        for (size_t g = 0; g < partner->grant_count; g++)
            for (size_t c = 0; c < partner->grants[g].column_count; c++, times++) {
                int64_t from = partner->grants[g].valid_from_ns > partner->valid_from_ns
                                   ? partner->grants[g].valid_from_ns
                                   : partner->valid_from_ns;
                if (times->granted_ns < from)
                    times->granted_ns = from;
            }
    }
}

/* ---- all of it ---- */

static enum status take(struct reading *reading, const struct ledger_entry *entry,
                        struct error *error)
{
    const struct policy *policy;
    if (entry->type == LEDGER_COLUMN_SET)
        return take_set(reading, entry, error);
    if (policy_history_take(&reading->history, entry, &policy)) {
        take_policy(reading->usage, policy, entry->time_ns);
        policy_release(policy);
    } else if (entry->partner.len > 0) {
        take_use(reading, entry);
    }
    return STATUS_OK;
}

static enum status read_all(struct reading *reading, struct ledger_reader *reader,
                            struct error *error)
{
    uint64_t sequence;
    struct ledger_entry entry;
    struct slice side;
    enum status status;
    while ((status = ledger_reader_next(reader, &sequence, &entry, &side, error)) == STATUS_OK)
        TRY(take(reading, &entry, error));
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static struct usage_times *unused(size_t count)
{
    struct usage_times *times = calloc(count + 1, sizeof *times);
    for (size_t i = 0; times != NULL && i < count; i++)
        times[i] = (struct usage_times){.granted_ns = INT64_MAX, .used_ns = INT64_MIN};
    return times;
}

static int64_t *never_counted(size_t count)
{
    int64_t *times = calloc(count + 1, sizeof *times);
    for (size_t i = 0; times != NULL && i < count; i++)
        times[i] = INT64_MIN;
    return times;
}

enum status policy_usage_read(const char *ledger, const struct policy *policy,
                              struct policy_usage *usage, struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct reading reading = {.usage = usage};
    *usage = (struct policy_usage){
        .policy = policy,
        .columns = unused(columns_before(policy, policy->partner_count, 0)),
        .counted_ns = never_counted(grants_before(policy, policy->partner_count)),
        .agents = unused(agents_before(policy, policy->partner_count))};
    policy_history_init(&reading.history, policy->path);
    enum status status = usage->columns == NULL || usage->agents == NULL || !usage->counted_ns
                             ? error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory")
                             : ledger_reader_open(ledger, 0, &reader, error);
    if (status == STATUS_OK) {
        usage->since_ns = ledger_reader_since(reader);
        status = read_all(&reading, reader, error);
    }
    if (status == STATUS_OK)
        begin_grants(usage);
    else
        policy_usage_free(usage);
    ledger_reader_close(reader);
    policy_history_free(&reading.history);
    for (size_t i = 0; i < reading.set_count; i++)
        free(reading.sets[i].columns);
    free(reading.sets);
    return status;
}

void policy_usage_free(struct policy_usage *usage)
{
    free(usage->columns);
    free(usage->agents);
    free(usage->counted_ns);
    *usage = (struct policy_usage){0};
}
