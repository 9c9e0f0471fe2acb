/* Holding the newest commitment against what the ledger and the keys give. */
#include <string.h>

#include "crypto/crypto.h"
#include "never/index.h"
#include "never/workshop.h"

static const int64_t ON_ITS_WAY_NS = 600LL * 1000000000;

struct finding {
    const struct workshop *workshop;
    struct never_check *check;
    uint64_t stated; /* the entry that tells of the dropping; 0: none */
};

static bool find_last(void *context, uint64_t sequence, const struct ledger_entry *entry)
{
    struct finding *finding = context;
    struct never_check *check = finding->check;
    const struct never_base *base = &finding->workshop->base;
    uint8_t statement[NEVER_HASH_BYTES];
    if (entry->type == LEDGER_COMMITMENT &&
        never_commitment_parse(entry->text, &check->commitment, NULL) == STATUS_OK) {
        check->commitments++;
        check->beyond += !never_base_equal(&check->commitment.base, base);
        check->sequence = sequence;
    }
    if (entry->type == LEDGER_DROPPED) {
        crypto_sha256(&entry->text, 1, statement);
        if (memcmp(statement, base->statement, sizeof statement) == 0)
            finding->stated = sequence;
    }
    return true;
}

/* What was committed to before entries were dropped counts some of them; what claims to count them
 * afterwards was made of nothing. */
static enum status check_extent(const struct finding *finding, struct error *error)
{
    struct never_check *check = finding->check;
    const struct never_base *base = &finding->workshop->base;
    check->recomputed = check->commitments > 0 && never_base_equal(&check->commitment.base, base);
    if (check->commitments == 0 || check->recomputed ||
        (base->from > 0 && check->sequence < finding->stated))
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, "XX001",
                     "Certificates under it must not be believed; cofferdam ledger commit makes a "
                     "new one.",
                     "ledger entry %llu commits to an index of entries from %llu on, where the "
                     "ledger has those from %llu on",
                     (unsigned long long)check->sequence,
                     (unsigned long long)check->commitment.base.from,
                     (unsigned long long)base->from);
}

static enum status last_commitment(const struct workshop *workshop, uint64_t entries,
                                   struct never_check *check, struct error *error)
{
    struct holdings holdings;
    struct finding finding = {.workshop = workshop, .check = check};
    struct workshop_reading reading = {.workshop = workshop,
                                       .holdings = &holdings,
                                       .until = entries,
                                       .seen = find_last,
                                       .context = &finding};
    TRY(holdings_init(&holdings, error));
    enum status status = workshop_read(&reading, error);
    holdings_free(&holdings);
    return status == STATUS_OK ? check_extent(&finding, error) : status;
}

/* An old index must not pass for one as of now: what was told before the commitment's instant
 * stands among the entries that it counts, but for what was on its way. */
static enum status check_instant(const struct workshop *workshop, const struct never_check *check,
                                 struct error *error)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence, next = check->commitment.entries;
    TRY(ledger_reader_open(workshop->ledger, next, &reader, error));
    enum status status = STATUS_OK;
    for (; status == STATUS_OK && next < check->sequence; next++) {
        status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_OK && holdings_counts(&entry) &&
            entry.time_ns < check->commitment.as_of_ns - ON_ITS_WAY_NS)
            status = error_set(error, STATUS_CORRUPT, "XX001",
                               "Certificates under it must not be believed; cofferdam ledger "
                               "commit makes a new one.",
                               "ledger entry %llu commits to an index of an earlier time than it "
                               "says: it leaves out entry %llu",
                               (unsigned long long)check->sequence, (unsigned long long)sequence);
    }
    ledger_reader_close(reader);
    return status;
}

/* A kept seed counts only where the key it was made of is gone. */
static void forget_seeds(struct seeds *seeds, struct names *names)
{
    char key[LIMIT_SUBJECT_KEY_BYTES + 1];
    uint16_t kind;
    for (uint32_t id = 0; id < seeds->count; id++)
        if (names_key(names, id, &kind, key) == STATUS_OK)
            memset(seeds->of[id], 0, SEED_BYTES);
}

static enum status recompute(const struct never_place *place, const struct workshop *workshop,
                             const struct vrf_key *key, struct never_index *index,
                             struct error *error)
{
    struct names *names = NULL;
    struct seeds seeds = {0};
    size_t made;
    struct workshop_reading reading = {
        .workshop = workshop, .holdings = &index->holdings, .until = index->commitment.entries};
    TRY(names_open(workshop->subjects, &names, error));
    reading.names = names;
    enum status status = workshop_read(&reading, error);
    if (status == STATUS_OK)
        status = seeds_read(workshop->seeds, key->public_key, &seeds, error);
    if (status == STATUS_OK) {
        forget_seeds(&seeds, names);
        status = seeds_fill(&seeds, key, &index->holdings, names, place->policy, &made, error);
    }
    if (status == STATUS_OK)
        status = never_index_build(index, &seeds, key, error);
    seeds_free(&seeds);
    names_close(names);
    return status;
}

static enum status compare(const struct never_place *place, const struct workshop *workshop,
                           const struct never_check *check, struct error *error)
{
    struct vrf_key key = {0};
    struct never_index index = {.commitment = check->commitment};
    TRY(workshop_key(workshop, &key, error));
    enum status status = holdings_init(&index.holdings, error);
    if (status == STATUS_OK &&
        memcmp(key.public_key, check->commitment.vrf_key, sizeof key.public_key) != 0)
        status = error_set(error, STATUS_NOT_FOUND, "02000", "cofferdam ledger commit",
                           "%.300s is not the key that ledger entry %llu was made with",
                           workshop->key, (unsigned long long)check->sequence);
    if (status == STATUS_OK)
        status = recompute(place, workshop, &key, &index, error);
    if (status == STATUS_OK &&
        (index.commitment.leaves != check->commitment.leaves ||
         index.commitment.erased != check->commitment.erased ||
         memcmp(index.commitment.root, check->commitment.root, NEVER_HASH_BYTES) != 0))
        status = error_set(error, STATUS_CORRUPT, "XX001",
                           "Certificates under it must not be believed; cofferdam ledger commit "
                           "--afresh makes a new one.",
                           "the index that ledger entry %llu commits to does not follow from the "
                           "ledger",
                           (unsigned long long)check->sequence);
    never_index_free(&index);
    crypto_wipe(&key, sizeof key);
    return status;
}

enum status never_recompute(const struct never_place *place, uint64_t entries,
                            struct never_check *check, struct error *error)
{
    struct workshop workshop;
    struct never_check found = {0};
    TRY(workshop_open(place, &workshop, error));
    TRY(last_commitment(&workshop, entries, &found, error));
    if (found.recomputed)
        TRY(check_instant(&workshop, &found, error));
    if (found.recomputed)
        TRY(compare(place, &workshop, &found, error));
    *check = found;
    return STATUS_OK;
}
