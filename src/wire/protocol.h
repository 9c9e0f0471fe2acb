/* Private to wire/: what its files share. */
#ifndef COFFERDAM_WIRE_PROTOCOL_H
#define COFFERDAM_WIRE_PROTOCOL_H

#include <stdint.h>

#include "base/status.h"
#include "wire/wire.h"

/* STATUS_PEER with SQLSTATE 08P01 (protocol_violation). */
enum status wire_violation(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* The loads of base/buffer.h inlined: rows are walked column by column. */
static inline uint32_t wire_load_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint16_t wire_load_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

#endif
