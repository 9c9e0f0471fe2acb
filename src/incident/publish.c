/* Gathers what is published of an incident; publication.c writes it. Nothing of a person goes into
 * the portal's folder but the keyed mark of a random-looking reference. One thread. */
#include "incident/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/publication.h"
#include "incident/statement.h"

enum {
    ARENA_BYTES = 64 * 1024 * 1024,
    LANGUAGES_MOST = 8,
    BRANDS_MOST = 32,
    VALID_DAYS = 400,      /* a reference is vouched for: somebody may open a letter late */
    STILL_VALID_DAYS = 90, /* and when sending starts, at least for so long */
    QUEUE_MODE = 01733,    /* the portal's user can add, and neither list nor read */
};
#define DAY_NS INT64_C(86400000000000)

struct desk {
    struct casework *casework;
    struct arena arena;
    struct scope *scope;
    struct notice *notice;
    const char *languages[LANGUAGES_MOST];
    size_t language_count;
    const struct document *happened[BRANDS_MOST * LANGUAGES_MOST];
    struct publication_issue *issues;
    struct mark_record *marks;
    uint8_t secret[32];
};

/* ---- languages ---- */

/* English first, where there is any, then by name. */
static int compare_languages(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    int left_is_english = strcmp(left, "en") == 0, right_is_english = strcmp(right, "en") == 0;
    return left_is_english != right_is_english ? right_is_english - left_is_english
                                               : strcmp(left, right);
}

/* The folders of share/portal. */
static enum status find_languages(struct desk *desk, struct error *error)
{
    const char *path = arena_printf(&desk->arena, "%s/portal", desk->casework->config->data_folder);
    DIR *folder = path == NULL ? NULL : opendir(path);
    if (folder == NULL)
        return error_set_errno(error, errno, "cannot read the portal's templates");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat about;
        bool is_language = entry->d_name[0] != '.' && strchr(entry->d_name, '.') == NULL &&
                           fstatat(dirfd(folder), entry->d_name, &about, 0) == 0 &&
                           S_ISDIR(about.st_mode);
        if (is_language && desk->language_count < LANGUAGES_MOST)
            desk->languages[desk->language_count++] = arena_strdup(&desk->arena, entry->d_name);
    }
    closedir(folder);
    if (desk->arena.overflowed)
        return STATUS_NOMEM;
    if (desk->language_count == 0)
        return error_set(error, STATUS_NOT_FOUND, "58P01", NULL,
                         "there are no templates for the portal in %s", path);
    qsort(desk->languages, desk->language_count, sizeof *desk->languages, compare_languages);
    return STATUS_OK;
}

/* ---- what happened ---- */

static enum status draft(struct desk *desk, size_t language, struct error *error)
{
    const struct policy_controller *controller = &desk->casework->policy->controller;
    size_t brands = controller->brand_count > 0 ? controller->brand_count : 1;
    const struct statement_request request = {.incident = desk->scope->incident.number,
                                              .phase = desk->scope->phase.number,
                                              .language = desk->languages[language]};
    struct statement_result result;
    if (brands > BRANDS_MOST)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the portal has at most %d brands",
                         BRANDS_MOST);
    enum status status = statement_make(desk->casework, &request, &desk->arena, &result, error);
    if (status == STATUS_OK) {
        struct document *document = arena_new(&desk->arena, struct document);
        status = document == NULL ? STATUS_NOMEM : STATUS_OK;
        if (document != NULL)
            *document = result.statement.document;
        for (size_t brand = 0; brand < brands; brand++)
            desk->happened[brand * desk->language_count + language] = document;
    }
    statement_result_free(&result);
    return status;
}

/* ---- messages and references ---- */

/* The index in the scope of a person of the notice; both are ordered by kind and id there. */
static size_t index_of(const struct scope *scope, const struct outbox_person *person)
{
    size_t low = 0, high = scope->person_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct scope_person *at = &scope->people[middle];
        if (at->kind < person->kind || (at->kind == person->kind && at->id < person->id))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Calls take for each reference of the notice; people whose key was erased have none. */
static enum status each_reference(const struct notice *notice, const struct scope *scope,
                                  enum status (*take)(void *context, const char *reference,
                                                      uint32_t variant, struct error *error),
                                  void *context, struct error *error)
{
    const struct outbox_person *people = NULL;
    size_t count = notice_people(notice, &people);
    for (size_t i = 0; i < count; i++) {
        char reference[REFERENCE_ROOM];
        enum status status =
            notice_reference(notice, index_of(scope, &people[i]), reference, error);
        if (status == STATUS_OK)
            status = take(context, reference, people[i].variant, error);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    return STATUS_OK;
}

struct marking {
    const struct desk *desk;
    uint8_t key[32];
    uint32_t first_issue;
    int32_t last_day;
    size_t count;
};

static enum status add_mark(void *context, const char *reference, uint32_t variant,
                            struct error *error)
{
    struct marking *marking = context;
    struct mark_record *record = &marking->desk->marks[marking->count++];
    reference_mark(marking->key, reference, record->mark);
    record->incident = (uint32_t)marking->desk->scope->incident.number;
    record->issue = marking->first_issue + variant;
    record->last_day = marking->last_day;
    return STATUS_OK;
}

static enum status gather_messages(struct desk *desk, struct publication *publication,
                                   struct error *error)
{
    const struct notice_variant *variants = NULL;
    const struct outbox_person *people = NULL;
    size_t count = notice_variants(desk->notice, &variants);
    size_t person_count = notice_people(desk->notice, &people);
    if (count > PUBLICATION_ISSUES_A_NOTICE)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "a notice has at most %d texts",
                         PUBLICATION_ISSUES_A_NOTICE);
    struct marking marking = {.desk = desk,
                              .first_issue = (uint32_t)notice_number(desk->notice) *
                                             PUBLICATION_ISSUES_A_NOTICE,
                              .last_day = (int32_t)(publication->now_ns / DAY_NS) + VALID_DAYS};
    publication_mark_key(desk->secret, marking.key);
    desk->issues = arena_array(&desk->arena, struct publication_issue, count + 1);
    desk->marks = calloc(person_count + 1, sizeof *desk->marks);
    if (desk->issues == NULL || desk->marks == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < count; i++)
        desk->issues[i] = (struct publication_issue){variants[i].brand,   variants[i].language,
                                                     variants[i].subject, variants[i].opening,
                                                     variants[i].sender,  variants[i].sender_name};
    TRY(each_reference(desk->notice, desk->scope, add_mark, &marking, error));
    publication->first_issue = marking.first_issue;
    publication->issues = desk->issues;
    publication->issue_count = count;
    publication->marks = desk->marks;
    publication->mark_count = marking.count;
    return STATUS_OK;
}

/* When sending starts: the approval, or now where there is none yet. */
static int64_t issued_at(struct desk *desk, int64_t now_ns)
{
    struct incident_notice approved;
    enum status status =
        incidents_get_notice(desk->casework->incidents, desk->scope->incident.number,
                             notice_number(desk->notice), &desk->arena, &approved, NULL);
    return status == STATUS_OK ? approved.approved_ns : now_ns;
}

/* ---- all of it ---- */

/* The queue belongs to the folder's owner, whose worker empties it. */
static enum status make_queue(const char *path, struct error *error)
{
    struct stat about;
    if (path == NULL || stat(path, &about) == 0)
        return STATUS_OK;
    TRY(file_make_folder(path, 0700, error));
    TRY(file_inherit_owner(path, error));
    if (chmod(path, QUEUE_MODE) != 0)
        return error_set_errno(error, errno, "cannot open %s to the portal", path);
    return STATUS_OK;
}

static enum status decide(struct desk *desk, const struct publication *publication,
                          struct error *error)
{
    char why[128];
    snprintf(why, sizeof why, "notice %" PRId64 ", %zu messages, %zu references",
             notice_number(desk->notice), publication->issue_count, publication->mark_count);
    return casework_decide(desk->casework, desk->scope->incident.number,
                           desk->scope->incident.partner, "publish", why, error);
}

static enum status publish(struct desk *desk, int64_t number, scope_grades grades,
                           const char *folder, struct publish_result *result, struct error *error)
{
    struct casework *casework = desk->casework;
    struct publication publication = {
        .data_folder = casework->config->data_folder,
        .folder = folder,
        .controller = &casework->policy->controller,
        .secret = desk->secret,
        .now_ns = clock_now_ns(),
        .languages = desk->languages,
        .happened = desk->happened,
    };
    TRY(incidents_secret(casework->incidents, desk->secret, error));
    TRY(find_languages(desk, error));
    TRY(scope_open(casework, number, 0, &desk->scope, error));
    TRY(notice_open(casework, desk->scope, grades, &desk->notice, error));
    for (size_t i = 0; i < desk->language_count; i++)
        TRY(draft(desk, i, error));
    publication.language_count = desk->language_count;
    publication.incident = (uint32_t)number;
    publication.noticed_ns = desk->scope->incident.noticed_ns;
    publication.issued_ns = issued_at(desk, publication.now_ns);
    TRY(gather_messages(desk, &publication, error));
    TRY(decide(desk, &publication, error));
    TRY(make_queue(casework->config->portal.queue, error));
    *result = (struct publish_result){publication.mark_count, publication.issue_count,
                                      publication.language_count};
    return publication_write(&publication, error);
}

enum status publish_incident(struct casework *casework, int64_t number, scope_grades grades,
                             const char *folder, struct publish_result *result, struct error *error)
{
    if (folder == NULL)
        folder = casework->config->portal.folder;
    if (folder == NULL)
        return error_set(error, STATUS_INVALID, "22023",
                         "give --out DIR, or write portal: {folder: …, queue: …} into "
                         "cofferdam.yaml",
                         "there is no folder to publish in");
    struct desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return STATUS_NOMEM;
    desk->casework = casework;
    arena_init(&desk->arena, ARENA_BYTES);
    enum status status = publish(desk, number, grades, folder, result, error);
    crypto_wipe(desk->secret, sizeof desk->secret);
    notice_close(desk->notice);
    scope_close(desk->scope);
    free(desk->marks);
    arena_free(&desk->arena);
    free(desk);
    return status;
}

/* ---- before sending ---- */

struct checking {
    uint8_t key[32];
    struct mark_file marks;
    int32_t needed_day;
};

static enum status check_mark(void *context, const char *reference, uint32_t variant,
                              struct error *error)
{
    const struct checking *checking = context;
    uint8_t mark[REFERENCE_MARK_BYTES];
    struct mark_record record;
    reference_mark(checking->key, reference, mark);
    if (mark_file_find(&checking->marks, mark, &record) &&
        record.issue % PUBLICATION_ISSUES_A_NOTICE == variant &&
        record.last_day >= checking->needed_day)
        return STATUS_OK;
    return STATUS_DENIED;
}

static enum status open_marks(const char *folder, struct checking *checking)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/current", folder);
    int fd = length < (int)sizeof path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return STATUS_NOT_FOUND;
    enum status status = mark_file_open(fd, "marks", &checking->marks, NULL);
    close(fd);
    return status;
}

enum status publish_check(const struct casework *casework, const struct notice *notice,
                          const struct scope *scope, struct error *error)
{
    struct checking checking = {0};
    uint8_t secret[32];
    if (casework->config->portal.folder == NULL)
        return STATUS_OK;
    TRY(incidents_secret(casework->incidents, secret, error));
    publication_mark_key(secret, checking.key);
    crypto_wipe(secret, sizeof secret);
    checking.needed_day = (int32_t)(clock_now_ns() / DAY_NS) + STILL_VALID_DAYS;
    enum status status = open_marks(casework->config->portal.folder, &checking);
    if (status == STATUS_OK)
        status = each_reference(notice, scope, check_mark, &checking, error);
    mark_file_close(&checking.marks);
    if (status == STATUS_OK)
        return STATUS_OK;
    char hint[80];
    snprintf(hint, sizeof hint, "cofferdam incident publish %" PRId64, scope->incident.number);
    return error_set(error, STATUS_DENIED, "55000", hint,
                     "the portal does not vouch for these messages: who checks the reference on a "
                     "genuine one would be told that it is unknown");
}
