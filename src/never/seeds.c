/* See seeds.h. The threads take blocks of ids by turns; the dictionary behind names locks itself.
 */
#include "never/seeds.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"

enum {
    MAGIC_BYTES = 8,
    HEADER_BYTES = MAGIC_BYTES + VRF_PUBLIC_BYTES + 4,
    BLOCK_IDS = 256,
    THREADS_MAX = 8,
    KEY_ROOM = 256,
};

static const char magic[] = "CFNSEED1";
static const size_t file_bytes = (size_t)32 << 30;

/* ---- the file ---- */

static bool is_whole(struct slice file)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    if (file.len < HEADER_BYTES + sizeof digest || memcmp(file.data, magic, MAGIC_BYTES) != 0)
        return false;
    size_t count = load_u32be(file.data + HEADER_BYTES - 4);
    struct slice content = slice_of(file.data, file.len - sizeof digest);
    crypto_sha256(&content, 1, digest);
    return content.len == HEADER_BYTES + count * SEED_BYTES &&
           memcmp(digest, file.data + content.len, sizeof digest) == 0;
}

static enum status take_file(struct slice file, struct seeds *seeds, struct error *error)
{
    if (!is_whole(file))
        return error_set(error, STATUS_CORRUPT, "XX001",
                         "Restore never/ from a backup. Without it, people whose keys were erased "
                         "can no longer be indexed.",
                         "never/seeds is damaged");
    if (memcmp(file.data + MAGIC_BYTES, seeds->public_key, VRF_PUBLIC_BYTES) != 0)
        return STATUS_OK; /* the key was changed: all of it is computed anew */
    size_t count = load_u32be(file.data + HEADER_BYTES - 4);
    seeds->of = malloc(count * SEED_BYTES + 1);
    if (seeds->of == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the seeds");
    memcpy(seeds->of, file.data + HEADER_BYTES, count * SEED_BYTES);
    seeds->count = count;
    return STATUS_OK;
}

enum status seeds_read(const char *path, const uint8_t public_key[static VRF_PUBLIC_BYTES],
                       struct seeds *seeds, struct error *error)
{
    struct buffer file;
    *seeds = (struct seeds){0};
    memcpy(seeds->public_key, public_key, VRF_PUBLIC_BYTES);
    buffer_init(&file, file_bytes);
    enum status status = file_read(path, &file, error);
    if (status == STATUS_OK)
        status = take_file(buffer_slice(&file), seeds, error);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    if (file.len > 0)
        crypto_wipe(file.data, file.len);
    buffer_free(&file);
    return status;
}

enum status seeds_write(struct seeds *seeds, const char *path, struct error *error)
{
    struct buffer file;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    if (!seeds->changed)
        return STATUS_OK;
    buffer_init(&file, file_bytes);
    buffer_append(&file, magic, MAGIC_BYTES);
    buffer_append(&file, seeds->public_key, VRF_PUBLIC_BYTES);
    buffer_append_u32be(&file, (uint32_t)seeds->count);
    buffer_append(&file, seeds->of, seeds->count * SEED_BYTES);
    const struct slice content = buffer_slice(&file);
    crypto_sha256(&content, 1, digest);
    buffer_append(&file, digest, sizeof digest);
    enum status status = file.overflowed
                             ? error_set(error, STATUS_NOMEM, "53200", NULL, "too many seeds")
                             : file_replace(path, buffer_slice(&file), 0600, error);
    if (status == STATUS_OK)
        seeds->changed = false;
    crypto_wipe(file.data, file.len);
    buffer_free(&file);
    return status;
}

void seeds_free(struct seeds *seeds)
{
    if (seeds->of != NULL)
        crypto_wipe(seeds->of, seeds->count * SEED_BYTES);
    free(seeds->of);
    *seeds = (struct seeds){0};
}

bool seeds_known(const struct seeds *seeds, uint32_t id)
{
    static const uint8_t unknown[SEED_BYTES];
    return id < seeds->count && memcmp(seeds->of[id], unknown, SEED_BYTES) != 0;
}

static bool is_idle(const struct seeds *seeds, const struct holdings *holdings, uint32_t id)
{
    return seeds_known(seeds, id) && holdings_of(holdings, id) == HOLDINGS_NOTHING;
}

bool seeds_idle(const struct seeds *seeds, const struct holdings *holdings)
{
    uint32_t id = 0;
    while (id < seeds->count && !is_idle(seeds, holdings, id))
        id++;
    return id < seeds->count;
}

void seeds_let_go(struct seeds *seeds, const struct holdings *holdings)
{
    for (uint32_t id = 0; id < seeds->count; id++)
        if (is_idle(seeds, holdings, id)) {
            crypto_wipe(seeds->of[id], SEED_BYTES);
            seeds->changed = true;
        }
}

/* ---- computing ---- */

void seeds_compute(const struct vrf_key *key, struct slice kind, struct slice subject,
                   uint8_t seed[static SEED_BYTES])
{
    uint8_t input[MARKS_INPUT_BYTES], output[VRF_OUTPUT_BYTES];
    size_t len = marks_input(kind, subject, input);
    vrf_output(key, slice_of(input, len), output);
    marks_seed(output, seed);
    crypto_wipe(output, sizeof output);
}

struct filling {
    struct seeds *seeds;
    const struct vrf_key *key;
    const struct holdings *holdings;
    struct names *names;
    const struct policy *policy;
    _Atomic size_t next, made;
    _Atomic bool strange; /* a kind that the policy does not have */
};

static void fill_one(struct filling *filling, uint32_t id)
{
    char key[KEY_ROOM];
    uint16_t kind;
    if (holdings_of(filling->holdings, id) == HOLDINGS_NOTHING || seeds_known(filling->seeds, id) ||
        names_key(filling->names, id, &kind, key) != STATUS_OK)
        return;
    if (kind >= filling->policy->kind_count) {
        filling->strange = true;
        return;
    }
    seeds_compute(filling->key, slice_of_text(filling->policy->kinds[kind].name),
                  slice_of_text(key), filling->seeds->of[id]);
    filling->made++;
}

static void *fill(void *context)
{
    struct filling *filling = context;
    for (;;) {
        size_t from = atomic_fetch_add(&filling->next, BLOCK_IDS);
        if (from >= filling->seeds->count)
            return NULL;
        for (size_t id = from; id < from + BLOCK_IDS && id < filling->seeds->count; id++)
            fill_one(filling, (uint32_t)id);
    }
}

static void fill_on_all_cores(struct filling *filling)
{
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    while (started + 1 < (size_t)cores && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, fill, filling) == 0)
        started++;
    fill(filling);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static enum status make_room(struct seeds *seeds, size_t count, struct error *error)
{
    if (count <= seeds->count)
        return STATUS_OK;
    uint8_t(*larger)[SEED_BYTES] = realloc(seeds->of, count * SEED_BYTES);
    if (larger == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the seeds");
    memset(larger + seeds->count, 0, (count - seeds->count) * SEED_BYTES);
    seeds->of = larger;
    seeds->count = count;
    return STATUS_OK;
}

enum status seeds_set(struct seeds *seeds, uint32_t id, const uint8_t seed[static SEED_BYTES],
                      struct error *error)
{
    TRY(make_room(seeds, (size_t)id + 1, error));
    memcpy(seeds->of[id], seed, SEED_BYTES);
    seeds->changed = true;
    return STATUS_OK;
}

enum status seeds_fill(struct seeds *seeds, const struct vrf_key *key,
                       const struct holdings *holdings, struct names *names,
                       const struct policy *policy, size_t *made, struct error *error)
{
    size_t ids = holdings->id_count;
    while (ids > 0 && holdings->ids[ids - 1] == HOLDINGS_NOTHING)
        ids--;
    TRY(make_room(seeds, ids, error));
    struct filling filling = {
        .seeds = seeds, .key = key, .holdings = holdings, .names = names, .policy = policy};
    fill_on_all_cores(&filling);
    if (filling.made > 0)
        seeds->changed = true;
    if (filling.strange)
        return error_set(error, STATUS_INVALID, "F0000",
                         "use the policy that the gateway has in force",
                         "the ledger knows a kind of subject that the policy does not have");
    *made = filling.made;
    return STATUS_OK;
}
