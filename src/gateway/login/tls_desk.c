/* TLS desk. The files are judged by what stat() says of them: a set is loaded anew when any of them
 * is another file, or has another time or size. A renewal writes certificate and key one after the
 * other, so that in between they do not fit: what is refused is told when it has stayed so for one
 * more look. Invariant: `taken` are the stamps from before the files in force were read. */
#include "gateway/login/tls_desk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/admin/admin_asking.h"
#include "gateway/server.h"

/* certificate, key, client_ca, and all of authorities as one */
enum { FILES = 4 };
static const int64_t day_ns = INT64_C(86400) * 1000000000;

struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct tls_set {
    struct net_tls *tls;
    struct net_tls_certificate shown;
    struct stamp stamps[FILES];
    int64_t loaded_ns;
};

struct tls_desk {
    const struct config *config;
    pthread_mutex_t lock;
    /* ---- under lock ---- */
    struct tls_set set; /* in force */
    struct stamp refused[FILES];
    bool is_refused, is_told;
    int64_t refused_ns;
    struct error reason; /* of the refusal */
    int warned;          /* of the certificate in force: 0 … 3 */
};

static bool same_stamps(const struct stamp a[static FILES], const struct stamp b[static FILES])
{
    for (size_t i = 0; i < FILES; i++)
        if (a[i].device != b[i].device || a[i].inode != b[i].inode || a[i].size != b[i].size ||
            a[i].modified.tv_sec != b[i].modified.tv_sec ||
            a[i].modified.tv_nsec != b[i].modified.tv_nsec)
            return false;
    return true;
}

/* One for all files of authorities: what is taken, added or written anew makes it another. */
static struct stamp stamp_authorities(const struct config *config)
{
    struct stamp all = {.size = 0};
    for (size_t i = 0; i < config->listen.authority_count; i++) {
        struct stat found;
        if (stat(config->listen.authorities[i].certificates, &found) != 0)
            continue;
        all.inode ^= found.st_ino;
        all.size += found.st_size + 1;
        if (found.st_mtim.tv_sec > all.modified.tv_sec ||
            (found.st_mtim.tv_sec == all.modified.tv_sec &&
             found.st_mtim.tv_nsec > all.modified.tv_nsec))
            all.modified = found.st_mtim;
    }
    return all;
}

static void take_stamps(const struct config *config, struct stamp stamps[static FILES])
{
    stamps[FILES - 1] = stamp_authorities(config);
    const char *const paths[FILES - 1] = {config->listen.certificate, config->listen.key,
                                          config->listen.client_ca};
    for (size_t i = 0; i < FILES - 1; i++) {
        struct stat found;
        stamps[i] = (struct stamp){.size = -1};
        if (paths[i] != NULL && stat(paths[i], &found) == 0)
            stamps[i] = (struct stamp){.device = found.st_dev,
                                       .inode = found.st_ino,
                                       .size = found.st_size,
                                       .modified = found.st_mtim};
    }
}

static enum status read_set(const struct config *config, struct tls_set *set, struct error *error)
{
    take_stamps(config, set->stamps); /* before reading: what changes meanwhile is read again */
    TRY(net_tls_server_open(config->listen.certificate, config->listen.key,
                            config->listen.client_ca, &set->tls, error));
    for (size_t i = 0; i < config->listen.authority_count; i++)
        TRY(net_tls_server_trust(set->tls, config->listen.authorities[i].certificates, error));
    net_tls_describe(set->tls, &set->shown);
    set->loaded_ns = clock_now_ns();
    return STATUS_OK;
}

static enum status judge_dates(const struct config *config, const struct tls_set *set,
                               struct error *error)
{
    char when[21];
    bool has_ended = set->loaded_ns >= set->shown.ends_ns;
    if (!has_ended && set->loaded_ns >= set->shown.begins_ns)
        return STATUS_OK;
    clock_format_utc(has_ended ? set->shown.ends_ns : set->shown.begins_ns, when);
    return error_set(error, STATUS_INVALID, "F0000",
                     "the one in force stays; put a certificate there that is valid now",
                     "the certificate %s %s %s", config->listen.certificate,
                     has_ended ? "ended on" : "begins on", when);
}

enum status tls_desk_open(const struct config *config, struct tls_desk **out, struct error *error)
{
    struct tls_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    desk->config = config;
    pthread_mutex_init(&desk->lock, NULL);
    enum status status = read_set(config, &desk->set, error);
    if (status != STATUS_OK) {
        tls_desk_close(desk);
        return status;
    }
    *out = desk;
    return STATUS_OK;
}

void tls_desk_close(struct tls_desk *desk)
{
    if (desk == NULL)
        return;
    net_tls_release(desk->set.tls);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

struct net_tls *tls_desk_context(struct tls_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    struct net_tls *tls = net_tls_retain(desk->set.tls);
    pthread_mutex_unlock(&desk->lock);
    return tls;
}

void tls_desk_drop(struct tls_set *set)
{
    if (set == NULL)
        return;
    net_tls_release(set->tls);
    free(set);
}

static void keep_refusal(struct tls_desk *desk, const struct tls_set *set,
                         const struct error *error, bool is_told)
{
    pthread_mutex_lock(&desk->lock);
    memcpy(desk->refused, set->stamps, sizeof desk->refused);
    desk->is_refused = true;
    desk->is_told = is_told;
    desk->refused_ns = clock_now_ns();
    desk->reason = *error;
    pthread_mutex_unlock(&desk->lock);
}

/* The clock may have gone past its end, or been set back before its beginning: then it is as good
 * as what there is, and a policy, or authorities of clients, must not wait for a new one. */
static bool is_in_force(struct tls_desk *desk, const struct tls_set *set)
{
    pthread_mutex_lock(&desk->lock);
    bool same = strcmp(desk->set.shown.sha256, set->shown.sha256) == 0;
    pthread_mutex_unlock(&desk->lock);
    return same;
}

/* is_told: whoever asked hears of a refusal. */
static enum status load(struct tls_desk *desk, bool is_told, struct tls_set **out,
                        struct error *error)
{
    struct tls_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = read_set(desk->config, set, error);
    if (status == STATUS_OK && !is_in_force(desk, set))
        status = judge_dates(desk->config, set, error);
    if (status != STATUS_OK) {
        keep_refusal(desk, set, error, is_told);
        tls_desk_drop(set);
        return status;
    }
    *out = set;
    return STATUS_OK;
}

enum status tls_desk_load(struct tls_desk *desk, struct tls_set **set, struct error *error)
{
    return load(desk, true, set, error);
}

static void record(struct server *server, const struct tls_set *set)
{
    char ends[21], text[600];
    struct error error;
    clock_format_utc(set->shown.ends_ns, ends);
    log_event(LOG_INFO, "certificate_in_force", "sha256=%s serial=%s ends=%s", set->shown.sha256,
              set->shown.serial, ends);
    snprintf(text, sizeof text, TLS_DESK_ACT "\nsha256=%s\nserial=%s\nends=%s\n", set->shown.sha256,
             set->shown.serial, ends);
    if (server_record_act(server, NULL, NULL, text, false, &error) != STATUS_OK)
        log_event(LOG_WARNING, "act_not_recorded", "reason=\"%s\"", error.message);
}

void tls_desk_take(struct server *server, struct tls_set *set)
{
    struct tls_desk *desk = server->tls;
    pthread_mutex_lock(&desk->lock);
    struct tls_set old = desk->set;
    bool changed = !same_stamps(old.stamps, set->stamps);
    desk->set = *set;
    desk->is_refused = false;
    if (strcmp(old.shown.sha256, set->shown.sha256) != 0)
        desk->warned = 0;
    pthread_mutex_unlock(&desk->lock);
    net_tls_release(old.tls);
    if (changed)
        record(server, set);
    free(set);
}

/* ---- looking ---- */

/* 1: it ends within two weeks, 2: within a day, 3: it has ended. */
static int alert_level(const struct tls_set *set, int64_t now_ns)
{
    int64_t left_ns = set->shown.ends_ns - now_ns;
    return left_ns <= 0 ? 3 : left_ns <= day_ns ? 2 : left_ns <= 14 * day_ns ? 1 : 0;
}

static void warn(struct tls_desk *desk)
{
    char ends[21];
    pthread_mutex_lock(&desk->lock);
    int level = alert_level(&desk->set, clock_now_ns());
    bool news = level > desk->warned;
    desk->warned = level;
    clock_format_utc(desk->set.shown.ends_ns, ends);
    pthread_mutex_unlock(&desk->lock);
    if (news)
        log_event(level == 1 ? LOG_WARNING : LOG_ERROR,
                  level == 3 ? "certificate_ended" : "certificate_ends_soon",
                  "file=%s ends=%s hint=\"put a new one and its key there: they are taken within "
                  "seconds\"",
                  desk->config->listen.certificate, ends);
}

void tls_desk_look(struct server *server)
{
    struct tls_desk *desk = server->tls;
    struct stamp now[FILES];
    struct error error;
    struct tls_set *set;
    take_stamps(desk->config, now);
    pthread_mutex_lock(&desk->lock);
    bool known = same_stamps(now, desk->set.stamps);
    bool still_refused = desk->is_refused && same_stamps(now, desk->refused);
    bool tell = still_refused && !desk->is_told;
    if (known) /* what was refused has been taken back */
        desk->is_refused = false;
    if (tell) {
        desk->is_told = true;
        error = desk->reason;
    }
    pthread_mutex_unlock(&desk->lock);
    if (tell)
        log_event(LOG_ERROR, "certificate_refused", "reason=\"%s\" hint=\"%s\"", error.message,
                  error.hint);
    else if (!known && !still_refused && load(desk, false, &set, &error) == STATUS_OK)
        tls_desk_take(server, set);
    warn(desk);
}

/* ---- SHOW TLS ---- */

static void tell_time(struct table *table, const char *name, int64_t time_ns)
{
    char text[21];
    clock_format_utc(time_ns, text);
    admin_property(table, name, text);
}

void tls_desk_tell(struct tls_desk *desk, struct table *table)
{
    static const char *const columns[] = {"property", "value", NULL};
    char days[24];
    pthread_mutex_lock(&desk->lock);
    const struct net_tls_certificate *shown = &desk->set.shown;
    snprintf(days, sizeof days, "%lld", (long long)((shown->ends_ns - clock_now_ns()) / day_ns));
    table_init(table, ADMIN_TABLE_BYTES, columns);
    admin_property(table, "certificate", desk->config->listen.certificate);
    admin_property(table, "subject", shown->subject);
    admin_property(table, "names", shown->names);
    admin_property(table, "issuer", shown->issuer);
    admin_property(table, "serial", shown->serial);
    admin_property(table, "key", shown->key);
    admin_property(table, "sha256", shown->sha256);
    tell_time(table, "begins", shown->begins_ns);
    tell_time(table, "ends", shown->ends_ns);
    admin_property(table, "days left", days);
    tell_time(table, "loaded", desk->set.loaded_ns);
    admin_property(table, "client authorities", desk->config->listen.client_ca);
    if (desk->is_refused) {
        tell_time(table, "refused", desk->refused_ns);
        admin_property(table, "refused because", desk->reason.message);
    }
    pthread_mutex_unlock(&desk->lock);
}
