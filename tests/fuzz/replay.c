/* Runs a fuzz target over the files of a folder, once each: seeds and inputs that once crashed
 * it are regression tests of an ordinary build. libFuzzer brings another main of its own.
 * Every input lies on the heap without a byte to spare, for the address sanitizer's sake. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT_BYTES = 1024 * 1024 };

/* 0 on success. */
static int run_file(const char *folder, const char *name)
{
    char path[4096];
    struct buffer content;
    struct error error;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    buffer_init(&content, MAX_INPUT_BYTES);
    enum status status = file_read(path, &content, &error);
    uint8_t *exact = calloc(content.len > 0 ? content.len : 1, 1);
    if (status == STATUS_OK && exact != NULL) {
        if (content.len > 0)
            memcpy(exact, content.data, content.len);
        printf("%s\n", path); /* before it runs: the last line names the one that crashed */
        fflush(stdout);
        LLVMFuzzerTestOneInput(exact, content.len);
    } else {
        fprintf(stderr, "%s\n", status == STATUS_OK ? "out of memory" : error.message);
        status = STATUS_IO;
    }
    free(exact);
    buffer_free(&content);
    return status == STATUS_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s folder\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 2;
    }
    int files = 0, failures = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        files++;
        failures += run_file(argv[1], entry->d_name);
    }
    closedir(folder);
    printf("%d inputs, %d failures\n", files, failures);
    return files > 0 && failures == 0 ? 0 : 1;
}
