/* The spool of writer.h: a row is, for each cell, a length (4 bytes) and the value with its end;
 * SPOOL_NULL for SQL NULL. The file is ours from the first byte to the last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "delivery/sink.h"
#include "delivery/writer.h"

static const uint32_t SPOOL_NULL = UINT32_MAX;

struct delivery_spool {
    struct sink sink;
    size_t columns;
    const char **cells;
    uint8_t *map; /* NULL while it is written */
    size_t size, at;
};

enum status delivery_spool_open(int fd, size_t columns, struct delivery_spool **out,
                                struct error *error)
{
    struct delivery_spool *spool = calloc(1, sizeof *spool);
    const char **cells = calloc(columns + 1, sizeof *cells);
    if (spool == NULL || cells == NULL) {
        free(spool);
        free(cells);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    *spool = (struct delivery_spool){.sink = {.fd = fd}, .columns = columns, .cells = cells};
    buffer_init(&spool->sink.bytes, SINK_BYTES);
    *out = spool;
    return STATUS_OK;
}

void delivery_spool_close(struct delivery_spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->map != NULL)
        munmap(spool->map, spool->size);
    buffer_free(&spool->sink.bytes);
    free(spool->cells);
    free(spool);
}

enum status delivery_spool_add(struct delivery_spool *spool, const char *const *cells,
                               struct error *error)
{
    struct buffer *out = &spool->sink.bytes;
    for (size_t i = 0; i < spool->columns; i++) {
        size_t len = cells[i] == NULL ? 0 : strlen(cells[i]) + 1;
        buffer_append_u32be(out, cells[i] == NULL ? SPOOL_NULL : (uint32_t)len);
        if (cells[i] != NULL)
            buffer_append(out, cells[i], len);
    }
    return sink_put(&spool->sink, false, error);
}

enum status delivery_spool_rewind(struct delivery_spool *spool, struct error *error)
{
    spool->at = 0;
    if (spool->map != NULL)
        return STATUS_OK;
    TRY(sink_put(&spool->sink, true, error));
    spool->size = (size_t)spool->sink.at;
    if (spool->size == 0)
        return STATUS_OK;
    void *map = mmap(NULL, spool->size, PROT_READ, MAP_SHARED, spool->sink.fd, 0);
    if (map == MAP_FAILED)
        return error_set_errno(error, errno, "cannot read the rows again");
    spool->map = map;
    return STATUS_OK;
}

enum status delivery_spool_next(struct delivery_spool *spool, const char *const **cells,
                                struct error *error)
{
    (void)error;
    if (spool->at == spool->size)
        return STATUS_NOT_FOUND;
    for (size_t i = 0; i < spool->columns; i++) {
        CHECK(spool->at + 4 <= spool->size);
        uint32_t len = load_u32be(spool->map + spool->at);
        spool->at += 4;
        spool->cells[i] = len == SPOOL_NULL ? NULL : (const char *)spool->map + spool->at;
        spool->at += len == SPOOL_NULL ? 0 : len;
        CHECK(spool->at <= spool->size);
    }
    *cells = spool->cells;
    return STATUS_OK;
}
