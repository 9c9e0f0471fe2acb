/* Agents stand in an array by a keyed hash of their login. A name is looked up by its hash, and a
 * second time at another place that it is given: the next agent there that has a method is its
 * neighbour, whose method and kind of verifier are asked for where the name has none. Both are done
 * for every name, and one file's date is looked at. */
#include "identity/roster.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum { MAX_VERIFIER_FILE_BYTES = 1024, SECRET_BYTES = 32, MOCK_SALT_BYTES = 16 };

/* A file that changed so shortly before it was looked at may change again under the same date. */
static const int64_t settled_ns = 50000000;

struct entry {
    uint64_t point;
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    bool has_method;
    /* Of the file, under the roster's lock: */
    struct stat seen; /* when it was read; zeros: it was not there */
    bool settled;     /* it had not changed for a while then */
    bool usable;
    struct scram_verifier verifier;
};

struct roster {
    pthread_mutex_t lock;
    uint8_t secret[SECRET_BYTES];
    struct entry *entries; /* ascending by point */
    size_t count;
    size_t *ring; /* indexes of entries that have a method, ascending by point */
    size_t ring_count;
};

/* ---- files ---- */

static enum status read_verifier(const char *path, struct scram_verifier *verifier,
                                 struct error *error)
{
    struct buffer text;
    buffer_init(&text, MAX_VERIFIER_FILE_BYTES);
    enum status status = file_read_secret(path, &text, error);
    if (status != STATUS_OK)
        goto done;
    /* A NUL inside would hide what stands behind it. */
    const char *terminated = buffer_text(&text);
    if (terminated == NULL || strlen(terminated) != text.len)
        status = error_set(error, STATUS_INVALID, "F0000", NULL, "not a SCRAM verifier");
    else
        status = scram_verifier_parse(terminated, verifier, error);
    if (status != STATUS_OK)
        error_prefix(error, "%s", path);
done:
    crypto_wipe(text.data, text.capacity);
    buffer_free(&text);
    return status;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads the verifier where its file is not the one that was read. */
static void refresh(struct entry *entry)
{
    struct stat now = {0};
    struct error error = {0};
    const char *path = entry->agent->scram_file;
    if (path == NULL)
        return;
    if (stat(path, &now) != 0)
        memset(&now, 0, sizeof now);
    if (entry->settled && same_file(&now, &entry->seen))
        return;
    int64_t changed_ns = (int64_t)now.st_ctim.tv_sec * 1000000000 + now.st_ctim.tv_nsec;
    entry->seen = now;
    entry->settled = clock_now_ns() - changed_ns > settled_ns;
    entry->usable = read_verifier(path, &entry->verifier, &error) == STATUS_OK;
    if (!entry->usable)
        log_event(LOG_WARNING, "scram_verifier_unusable", "agent=%s reason=\"%s\"",
                  entry->agent->login, error.message);
}

/* ---- the ring ---- */

/* Where a name stands: one place to be found at, another to have a neighbour. */
static uint64_t point_of(const struct roster *roster, const char *what, const char *login)
{
    struct slice parts[] = {slice_of_text(what), slice_of_text(login)};
    uint8_t digest[32];
    uint64_t point;
    crypto_hmac_sha256(slice_of(roster->secret, sizeof roster->secret), parts, 2, digest);
    memcpy(&point, digest, sizeof point);
    return point;
}

static const char by_name[] = "cofferdam roster name\n", by_place[] = "cofferdam roster place\n";

static int compare_points(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->point < y->point ? -1 : x->point > y->point;
}

static void fill(struct roster *roster, const struct policy *policy)
{
    for (size_t p = 0; p < policy->partner_count; p++) {
        const struct policy_partner *partner = &policy->partners[p];
        for (size_t i = 0; i < partner->agent_count; i++) {
            struct entry *entry = &roster->entries[roster->count++];
            entry->partner = partner;
            entry->agent = &partner->agents[i];
            entry->point = point_of(roster, by_name, entry->agent->login);
            entry->has_method = entry->agent->scram_file != NULL || entry->agent->oidc != NULL;
        }
    }
    qsort(roster->entries, roster->count, sizeof roster->entries[0], compare_points);
    for (size_t i = 0; i < roster->count; i++)
        if (roster->entries[i].has_method)
            roster->ring[roster->ring_count++] = i;
}

enum status roster_open(const struct policy *policy, struct slice secret, struct roster **out,
                        struct error *error)
{
    size_t count = 0;
    for (size_t p = 0; p < policy->partner_count; p++)
        count += policy->partners[p].agent_count;
    struct roster *roster = calloc(1, sizeof *roster);
    if (roster != NULL) {
        pthread_mutex_init(&roster->lock, NULL);
        roster->entries = calloc(count + 1, sizeof roster->entries[0]);
        roster->ring = calloc(count + 1, sizeof roster->ring[0]);
    }
    if (roster == NULL || roster->entries == NULL || roster->ring == NULL) {
        roster_close(roster);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    crypto_sha256(&secret, 1, roster->secret);
    fill(roster, policy);
    for (size_t i = 0; i < roster->count; i++)
        refresh(&roster->entries[i]);
    *out = roster;
    return STATUS_OK;
}

void roster_close(struct roster *roster)
{
    if (roster == NULL)
        return;
    for (size_t i = 0; roster->entries != NULL && i < roster->count; i++)
        crypto_wipe(&roster->entries[i].verifier, sizeof roster->entries[i].verifier);
    free(roster->entries);
    free(roster->ring);
    crypto_wipe(roster->secret, sizeof roster->secret);
    pthread_mutex_destroy(&roster->lock);
    free(roster);
}

/* The one of this login; NULL if there is none. */
static struct entry *find_entry(struct roster *roster, const char *login)
{
    uint64_t point = point_of(roster, by_name, login);
    size_t low = 0, high = roster->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (roster->entries[middle].point < point)
            low = middle + 1;
        else
            high = middle;
    }
    /* Two names at one point: the second of them is found as the first is not it. */
    for (; low < roster->count && roster->entries[low].point == point; low++)
        if (strcmp(roster->entries[low].agent->login, login) == 0)
            return &roster->entries[low];
    return NULL;
}

/* The first with a method at or behind the name's place; NULL if none has any. */
static struct entry *find_neighbour(struct roster *roster, const char *login)
{
    uint64_t place = point_of(roster, by_place, login);
    size_t low = 0, high = roster->ring_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (roster->entries[roster->ring[middle]].point < place)
            low = middle + 1;
        else
            high = middle;
    }
    if (roster->ring_count == 0)
        return NULL;
    return &roster->entries[roster->ring[low == roster->ring_count ? 0 : low]];
}

/* Of the kind of `real`, and another one when that has changed: a salt that never does would tell
 * in time that nobody has the name. */
static void mock(const struct roster *roster, const char *login, const struct scram_verifier *real,
                 bool usable, struct scram_verifier *verifier)
{
    struct slice salt = slice_of(real->salt, real->salt_len);
    struct slice secret = slice_of(roster->secret, sizeof roster->secret);
    uint8_t seed[SECRET_BYTES];
    crypto_hmac_sha256(secret, &salt, 1, seed);
    scram_verifier_mock(usable ? slice_of(seed, sizeof seed) : secret, login, real->iterations,
                        real->salt_len, verifier);
    crypto_wipe(seed, sizeof seed);
}

static void mark_password(const struct roster *roster, const struct scram_verifier *verifier,
                          uint8_t password[static ROSTER_PASSWORD_BYTES])
{
    uint8_t iterations[4];
    store_u32be(iterations, verifier->iterations);
    struct slice parts[] = {slice_of_text("cofferdam roster password\n"),
                            slice_of(iterations, sizeof iterations),
                            slice_of(verifier->stored_key, sizeof verifier->stored_key),
                            slice_of(verifier->server_key, sizeof verifier->server_key),
                            slice_of(verifier->salt, verifier->salt_len)};
    crypto_hmac_sha256(slice_of(roster->secret, sizeof roster->secret), parts,
                       sizeof parts / sizeof parts[0], password);
}

void roster_find(struct roster *roster, const char *login, struct roster_found *found)
{
    struct entry *own = find_entry(roster, login), *neighbour = find_neighbour(roster, login);
    *found = (struct roster_found){.known = own != NULL && own->has_method};
    if (own != NULL) {
        found->agent = own->agent;
        found->partner = own->partner;
    }
    struct entry *shown = found->known ? own : neighbour;
    struct scram_verifier real = {.iterations = SCRAM_DEFAULT_ITERATIONS,
                                  .salt_len = MOCK_SALT_BYTES};
    bool usable = false;
    if (shown != NULL && shown->agent->oidc != NULL) {
        found->method = ROSTER_TOKEN;
        found->oidc = shown->agent->oidc;
    }
    if (shown != NULL) {
        pthread_mutex_lock(&roster->lock);
        refresh(shown);
        usable = shown->usable;
        if (usable)
            real = shown->verifier;
        pthread_mutex_unlock(&roster->lock);
    }
    mock(roster, login, &real, usable, &found->verifier);
    if (found->known && usable)
        found->verifier = real;
    mark_password(roster, &found->verifier, found->password);
    crypto_wipe(&real, sizeof real);
}

enum roster_password roster_password_now(struct roster *roster, const char *login,
                                         const uint8_t password[static ROSTER_PASSWORD_BYTES])
{
    uint8_t now[ROSTER_PASSWORD_BYTES];
    struct entry *own = find_entry(roster, login);
    if (own == NULL || own->agent->scram_file == NULL)
        return ROSTER_GONE;
    pthread_mutex_lock(&roster->lock);
    refresh(own);
    bool usable = own->usable;
    if (usable)
        mark_password(roster, &own->verifier, now);
    pthread_mutex_unlock(&roster->lock);
    if (!usable)
        return ROSTER_GONE;
    return memcmp(now, password, sizeof now) == 0 ? ROSTER_SAME : ROSTER_CHANGED;
}
