/* See sink.h. */
#include "delivery/sink.h"

#include "base/file.h"

enum status sink_put(struct sink *sink, bool now, struct error *error)
{
    if (sink->bytes.overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "a row is longer than %d bytes",
                         SINK_BYTES);
    if (!now && sink->bytes.len < SINK_GATHER)
        return STATUS_OK;
    TRY(file_write_at(sink->fd, sink->bytes.data, sink->bytes.len, sink->at, error));
    sink->at += sink->bytes.len;
    buffer_clear(&sink->bytes);
    return STATUS_OK;
}
