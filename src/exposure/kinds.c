/* The order of the kinds of subject, kept in a file. */
#include "exposure/kinds.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"

enum { FILE_BYTES = 64 * 1024 };

/* Compares line by line; *known: how many kinds the file has. */
static enum status compare(const char *text, const struct policy *policy, size_t *known,
                           struct error *error)
{
    size_t count = 0;
    for (const char *line = text; *line != '\0'; count++) {
        size_t len = strcspn(line, "\n");
        const char *name = count < policy->kind_count ? policy->kinds[count].name : "";
        if (strlen(name) != len || memcmp(name, line, len) != 0)
            return error_set(error, STATUS_INVALID, "F0000",
                             "keep the kinds in their order and add new ones behind them",
                             "the kind of subject \"%.*s\" has gone or stands in another place",
                             len > LIMIT_NAME_BYTES ? LIMIT_NAME_BYTES : (int)len, line);
        line += line[len] == '\n' ? len + 1 : len;
    }
    *known = count;
    return STATUS_OK;
}

static enum status read_known(const char *path, const struct policy *policy, size_t *known,
                              struct error *error)
{
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_NOT_FOUND) {
        *known = 0;
        status = STATUS_OK;
    } else if (status == STATUS_OK) {
        buffer_append_u8(&text, '\0');
        status = text.overflowed
                     ? error_set(error, STATUS_LIMIT, "54000", NULL, "%s: too long", path)
                     : compare((const char *)text.data, policy, known, error);
    }
    buffer_free(&text);
    return status;
}

enum status kinds_check(const char *folder, const struct policy *policy, struct error *error)
{
    char path[4096];
    size_t known;
    snprintf(path, sizeof path, "%s/kinds", folder);
    return read_known(path, policy, &known, error);
}

enum status kinds_settle(const char *folder, const struct policy *policy, struct error *error)
{
    char path[4096];
    size_t known = 0;
    snprintf(path, sizeof path, "%s/kinds", folder);
    TRY(read_known(path, policy, &known, error));
    if (known == policy->kind_count)
        return STATUS_OK;
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    for (size_t i = 0; i < policy->kind_count; i++)
        buffer_printf(&text, "%s\n", policy->kinds[i].name);
    enum status status = text.overflowed
                             ? error_set(error, STATUS_LIMIT, "54000", NULL, "too many kinds")
                             : file_replace(path, buffer_slice(&text), 0600, error);
    buffer_free(&text);
    return status;
}
