/* Fuzz target: what an entry of the ledger says of an agent. Any entry that the decoder takes is
 * counted without harm, and the same twice gives no more people. */
#include "base/check.h"
#include "ledger/entry.h"
#include "watch/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool key_of(void *context, uint32_t id, uint16_t *kind, char key[static 256])
{
    (void)context;
    *kind = (uint16_t)(id % 2);
    key[0] = (char)('0' + id % 10);
    key[1] = '\0';
    return id % 3 != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct policy_agent agent = {.name = "a", .login = "p.a"};
    struct policy_partner partner = {.name = "p", .anomalies = {.days = 3, .learn = 1}};
    const struct watch_sources sources = {.key = key_of};
    struct watch_verdict verdict;
    struct watch *watch;
    struct arena arena;
    struct ledger_entry entry;
    struct error error;
    for (int i = 0; i < POLICY_ANOMALIES; i++)
        partner.anomalies.rules[i] = (struct policy_anomaly_rule){.floor = 1, .factor = 2};
    CHECK(watch_new(&watch, &error) == STATUS_OK);
    watch_know(watch, &sources);
    arena_init(&arena, ENTRY_ARENA_BYTES);
    if (ledger_entry_decode(slice_of(data, size), &arena, &entry, &error) == STATUS_OK) {
        watch_take(watch, NULL, NULL, WATCH_REPLAY, &entry, &verdict);
        CHECK(verdict.count == 0 && !verdict.contain);
        watch_take(watch, &partner, &agent, WATCH_LIVE, &entry, &verdict);
        for (size_t i = 0; i < verdict.count; i++)
            CHECK(verdict.alarms[i].rule != POLICY_ANOMALY_SUBJECTS);
    }
    arena_free(&arena);
    watch_free(watch);
    return 0;
}
