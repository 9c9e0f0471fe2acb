/* CRC-32C (Castagnoli; RFC 3720, appendix B.4), reflected polynomial 0x82F63B78.
 * By the processor's instruction where there is one, three runs of bytes side by side since it
 * takes three cycles for a result and one for a start; otherwise eight bytes a step by tables
 * (Kounavis and Berry, "slicing-by-8"). Tables and choice are made once. Any thread. */
#include "crypto/crc32c.h"

#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;
static uint32_t tables[8][256];

enum { LANE_BYTES = 448 };         /* of a run: nine of them are nearly a page */
static uint32_t past_lane[4][256]; /* a register's byte, after so many zero bytes */

static void make_past_lane(void)
{
    for (size_t bit = 0; bit < 32; bit++) {
        uint32_t crc = (uint32_t)1 << bit;
        for (size_t i = 0; i < LANE_BYTES; i++)
            crc = crc >> 8 ^ tables[0][crc & 0xFF];
        for (size_t value = 0; value < 256; value++)
            if ((value >> bit % 8 & 1) != 0)
                past_lane[bit / 8][value] ^= crc;
    }
}

static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82F63B78 & -(crc & 1));
        tables[0][byte] = crc;
    }
    for (size_t i = 1; i < 8; i++)
        for (size_t byte = 0; byte < 256; byte++)
            tables[i][byte] = tables[i - 1][byte] >> 8 ^ tables[0][tables[i - 1][byte] & 0xFF];
    make_past_lane();
}

static uint32_t load_u32le(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t len)
{
    pthread_once(&tables_once, make_tables);
    const uint8_t *at = data;
    crc = ~crc;
    for (; len >= 8; at += 8, len -= 8) {
        uint32_t low = load_u32le(at) ^ crc, high = load_u32le(at + 4);
        crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
              tables[4][low >> 24] ^ tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF] ^
              tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24];
    }
    for (; len > 0; at++, len--)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)

bool crc32c_has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}

static uint32_t pass_lane(uint32_t crc)
{
    return past_lane[0][crc & 0xFF] ^ past_lane[1][crc >> 8 & 0xFF] ^
           past_lane[2][crc >> 16 & 0xFF] ^ past_lane[3][crc >> 24];
}

static uint64_t load_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Three lanes; the register goes in and comes out. It is linear: what one byte after the other
 * would give is the first lanes' registers, moved past those behind them, and theirs. */
__attribute__((target("sse4.2"))) static uint64_t take_lanes(uint64_t first, const uint8_t *at)
{
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < LANE_BYTES; i += 8) {
        first = __builtin_ia32_crc32di(first, load_word(at + i));
        second = __builtin_ia32_crc32di(second, load_word(at + LANE_BYTES + i));
        third = __builtin_ia32_crc32di(third, load_word(at + 2 * LANE_BYTES + i));
    }
    return pass_lane(pass_lane((uint32_t)first) ^ (uint32_t)second) ^ (uint32_t)third;
}

__attribute__((target("sse4.2"))) uint32_t crc32c_by_instruction(uint32_t crc, const void *data,
                                                                 size_t len)
{
    enum { LANES_BYTES = 3 * LANE_BYTES };
    const uint8_t *at = data;
    uint64_t wide = (uint32_t)~crc;
    if (len >= LANES_BYTES)
        pthread_once(&tables_once, make_tables);
    for (; len >= LANES_BYTES; at += LANES_BYTES, len -= LANES_BYTES)
        wide = take_lanes(wide, at);
    for (; len >= 8; at += 8, len -= 8)
        wide = __builtin_ia32_crc32di(wide, load_word(at));
    uint32_t narrow = (uint32_t)wide;
    for (; len > 0; at++, len--)
        narrow = __builtin_ia32_crc32qi(narrow, *at);
    return ~narrow;
}

#else

bool crc32c_has_instruction(void)
{
    return false;
}

uint32_t crc32c_by_instruction(uint32_t crc, const void *data, size_t len)
{
    CHECK(crc32c_has_instruction());
    return 0;
}

#endif

uint32_t crypto_crc32c(uint32_t crc, const void *data, size_t len)
{
    if (crc32c_has_instruction())
        return crc32c_by_instruction(crc, data, len);
    return crc32c_by_table(crc, data, len);
}
