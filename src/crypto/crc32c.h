/* Private to crypto/: the two ways to compute a CRC-32C, so that tests can hold one against the
 * other. Arguments as crypto_crc32c. */
#ifndef COFFERDAM_CRYPTO_CRC32C_H
#define COFFERDAM_CRYPTO_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t len);
bool crc32c_has_instruction(void);
/* Only where crc32c_has_instruction(). */
uint32_t crc32c_by_instruction(uint32_t crc, const void *data, size_t len);

#endif
