/* The index as others than the gateway use it: asking, making it anew, checking it. */
#include <stdlib.h>

#include "exposure/exposure.h"
#include "exposure/index_build.h"
#include "exposure/parts.h"

enum status exposure_open_reading(const char *index_folder, const char *ledger_folder,
                                  struct exposure **out, struct error *error)
{
    struct exposure *exposure = calloc(1, sizeof *exposure);
    if (exposure == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    exposure->folder_fd = exposure->key_file.fd = -1;
    pthread_mutex_init(&exposure->file_lock, NULL);
    pthread_mutex_init(&exposure->keeper_lock, NULL);
    pthread_cond_init(&exposure->keeper_wake, NULL);
    enum status status = index_open_reading(index_folder, ledger_folder, &exposure->index, error);
    if (status == STATUS_OK)
        *out = exposure;
    else
        exposure_close(exposure);
    return status;
}

enum status exposure_rebuild(const char *index_folder, const char *ledger_folder,
                             struct exposure_rebuilt *rebuilt, struct error *error)
{
    return index_rebuild(index_folder, ledger_folder, rebuilt, error);
}

enum status exposure_check(const char *index_folder, const char *ledger_folder,
                           struct exposure_rebuilt *rebuilt, struct exposure_difference *found,
                           struct error *error)
{
    return index_check(index_folder, ledger_folder, rebuilt, found, error);
}
