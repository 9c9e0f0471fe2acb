/* The first opening of a phase reads and keeps the traits; every later one reads what was kept. */
#include "incident/scope_traits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the traits of people");
}

static int compare_names(const void *a, const void *b)
{
    const char *left, *right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return strcmp(left, right);
}

/* Sorts, and keeps each once. */
static size_t unique(const char **names, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(names[i], names[kept - 1]) != 0)
            names[kept++] = names[i];
    return kept;
}

/* The categories that the datasets have; and with them, all that a policy may use. */
static enum status take_categories(const struct policy *policy, struct scope_private *made,
                                   struct error *error)
{
    size_t room = 0, count = 0;
    for (size_t i = 0; i < policy->dataset_count; i++)
        room += policy->datasets[i].column_count;
    for (size_t i = 0; policy_categories[i] != NULL; i++)
        room++;
    const char **held = arena_array(&made->arena, const char *, room);
    const char **known = arena_array(&made->arena, const char *, room);
    if (held == NULL || known == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < policy->dataset_count; i++)
        for (size_t j = 0; j < policy->datasets[i].column_count; j++)
            if (policy->datasets[i].columns[j].category != NULL)
                held[count++] = policy->datasets[i].columns[j].category;
    count = unique(held, count);
    for (size_t i = 0; i < count; i++)
        known[i] = held[i] = arena_strdup(&made->arena, held[i]);
    made->held = held;
    made->held_count = count;
    for (size_t i = 0; policy_categories[i] != NULL; i++)
        known[count++] = policy_categories[i];
    made->known = known;
    made->known_count = made->arena.overflowed ? 0 : unique(known, count);
    return made->arena.overflowed ? out_of_memory(error) : STATUS_OK;
}

static enum status take_policy(const struct policy *policy, struct scope_private *made,
                               struct error *error)
{
    const char **kinds = arena_array(&made->arena, const char *, policy->kind_count + 1);
    if (kinds == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < policy->kind_count; i++)
        kinds[i] = arena_strdup(&made->arena, policy->kinds[i].name);
    made->kinds = kinds;
    made->kind_count = policy->kind_count;
    return take_categories(policy, made, error);
}

static enum status make(struct casework *casework, struct scope_private *made, const char *path,
                        struct error *error)
{
    static const char *const unknown[] = {""};
    struct error why = {0};
    struct scope *scope = &made->scope;
    TRY(take_policy(casework->policy, made, error));
    scope->brands = scope->languages = scope->countries = unknown;
    scope->brand_count = scope->language_count = scope->country_count = 1;
    if (scope_traits_read(casework, made, &why) != STATUS_OK) {
        char *line = arena_strdup(&made->arena, why.message);
        if (line == NULL)
            return out_of_memory(error);
        for (char *at = line; *at != '\0'; at++)
            if (*at == '\n')
                *at = ' ';
        made->without = line;
    }
    return scope_traits_store(path, made, error);
}

static enum status load_or_make(struct casework *casework, struct scope_private *made,
                                const char *path, struct error *error)
{
    enum status status = scope_traits_load(path, made, error);
    return status == STATUS_NOT_FOUND ? make(casework, made, path, error) : status;
}

static enum status lock_folder(const char *path, int *fd, struct error *error)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return error_set_errno(error, errno, "%s", folder);
    if (flock(*fd, LOCK_EX) == 0)
        return STATUS_OK;
    enum status status = error_set_errno(error, errno, "flock %s", folder);
    close(*fd);
    return status;
}

/* Two who open a phase for the first time at once must end with the same traits. */
enum status scope_traits_settle(struct casework *casework, struct scope_private *made,
                                struct error *error)
{
    char name[40];
    const char *path;
    int fd;
    snprintf(name, sizeof name, "traits.%" PRId64, made->scope.phase.number);
    TRY(incidents_path(casework->incidents, made->scope.incident.number, name, &made->arena, &path,
                       error));
    TRY(lock_folder(path, &fd, error));
    enum status status = load_or_make(casework, made, path, error);
    close(fd);
    return status;
}
