/* See issue.h. */
#include "cli/issue.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"

#define DAY_NS  INT64_C(86400000000000)
#define SKEW_NS INT64_C(300000000000) /* five minutes */

void issued_init(struct issued *issued)
{
    buffer_init(&issued->certificate, ISSUE_PEM_BYTES);
    buffer_init(&issued->key, ISSUE_PEM_BYTES);
}

void issued_free(struct issued *issued)
{
    if (issued->key.data != NULL)
        crypto_wipe(issued->key.data, issued->key.capacity);
    buffer_free(&issued->certificate);
    buffer_free(&issued->key);
}

void issue_lifetime(int days, struct identity_leaf *leaf)
{
    int64_t now_ns = clock_now_ns();
    leaf->not_before_ns = now_ns - SKEW_NS;
    leaf->not_after_ns = now_ns + days * DAY_NS;
}

enum status issue_client(const char *ca_folder, const char *login, const char *identity, int days,
                         struct issued *issued, struct error *error)
{
    bool is_uri = strstr(identity, "://") != NULL;
    struct identity_leaf leaf = {
        .common_name = is_uri ? login : identity,
        .san_uri = is_uri ? identity : NULL,
    };
    issue_lifetime(days, &leaf);
    return identity_issue(ca_folder, &leaf, &issued->certificate, &issued->key, error);
}

enum status issue_file(const char *folder, const char *name, struct slice content, unsigned mode,
                       struct error *error)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return error_set(error, STATUS_INVALID, "22023", NULL, "the path %s is too long", folder);
    return file_replace(path, content, mode, error);
}

enum status issued_write(const struct issued *issued, const char *folder, const char *name,
                         struct error *error)
{
    char file[64];
    TRY(file_make_folder(folder, 0700, error));
    snprintf(file, sizeof file, "%s.key", name);
    TRY(issue_file(folder, file, buffer_slice(&issued->key), 0600, error));
    snprintf(file, sizeof file, "%s.crt", name);
    return issue_file(folder, file, buffer_slice(&issued->certificate), 0644, error);
}
