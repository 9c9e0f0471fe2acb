/* See trust_files.h. */
#include "identity/trust_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/crypto.h"

enum { MOST_FILES = 256, PRINT_BYTES = 1024 * 1024 };

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int is_crl_name(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".crl") == 0 || strcmp(dot, ".pem") == 0 || strcmp(dot, ".der") == 0);
}

static enum status each_in_folder(const char *folder,
                                  enum status (*take)(void *context, const char *path,
                                                      struct error *error),
                                  void *context, struct error *error)
{
    struct dirent **names = NULL;
    char path[PATH_MAX];
    int count = scandir(folder, &names, is_crl_name, alphasort);
    if (count < 0)
        return error_set_errno(error, errno, "%s", folder);
    enum status status = count <= MOST_FILES
                             ? STATUS_OK
                             : error_set(error, STATUS_LIMIT, "54000", NULL,
                                         "%s has more than %d files", folder, MOST_FILES);
    for (int i = 0; i < count; i++) {
        if (status == STATUS_OK &&
            snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name) < (int)sizeof path)
            status = take(context, path, error);
        free(names[i]);
    }
    free(names);
    return status;
}

enum status trust_each_crl_file(const struct config *config,
                                enum status (*take)(void *context, const char *path,
                                                    struct error *error),
                                void *context, struct error *error)
{
    for (size_t i = 0; i < config->listen.crl_count; i++) {
        const char *path = config->listen.crls[i];
        if (is_folder(path))
            TRY(each_in_folder(path, take, context, error));
        else
            TRY(take(context, path, error));
    }
    return STATUS_OK;
}

static enum status print_file(void *context, const char *path, struct error *error)
{
    struct buffer *print = context;
    struct stat info;
    (void)error;
    if (stat(path, &info) != 0)
        buffer_printf(print, "%s -\n", path);
    else
        buffer_printf(print, "%s %llu %llu %lld %lld.%09ld\n", path,
                      (unsigned long long)info.st_dev, (unsigned long long)info.st_ino,
                      (long long)info.st_size, (long long)info.st_mtim.tv_sec,
                      info.st_mtim.tv_nsec);
    return STATUS_OK;
}

void trust_files_fingerprint(const struct config *config, uint8_t fingerprint[static 32])
{
    struct buffer print;
    struct error ignored;
    buffer_init(&print, PRINT_BYTES);
    if (config->listen.client_ca != NULL)
        (void)print_file(&print, config->listen.client_ca, &ignored);
    for (size_t i = 0; i < config->listen.authority_count; i++)
        (void)print_file(&print, config->listen.authorities[i].certificates, &ignored);
    if (trust_each_crl_file(config, print_file, &print, &ignored) != STATUS_OK)
        buffer_append_text(&print, "unreadable\n");
    struct slice bytes = buffer_slice(&print);
    crypto_sha256(&bytes, 1, fingerprint);
    buffer_free(&print);
}
