/* See commitment.h. Read by writing it again: what does not give the same bytes is refused. */
#include "never/commitment.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "ledger/ledger.h"
#include "never/spelling.h"

enum { HEX_ROOM = 2 * NEVER_HASH_BYTES + 1, TIME_ROOM = 21 };

void never_commitment_format(const struct never_commitment *commitment, struct buffer *out)
{
    char root[HEX_ROOM], vrf_key[HEX_ROOM], time[TIME_ROOM];
    crypto_hex(commitment->root, sizeof commitment->root, root);
    crypto_hex(commitment->vrf_key, sizeof commitment->vrf_key, vrf_key);
    clock_format_utc(commitment->as_of_ns, time);
    buffer_printf(out,
                  "index=never\nentries=%" PRIu64 "\nat=%s\nleaves=%" PRIu64 "\nroot=%s\nvrf=%s\n"
                  "erased=%" PRIu64,
                  commitment->entries, time, commitment->leaves, root, vrf_key, commitment->erased);
}

static bool read_number(struct slice text, const char *key, uint64_t *number)
{
    return spelling_number(ledger_text_value(text, key), number);
}

static bool read_lines(struct slice text, struct never_commitment *read)
{
    return read_number(text, "entries", &read->entries) &&
           spelling_instant(ledger_text_value(text, "at"), &read->as_of_ns) &&
           read_number(text, "leaves", &read->leaves) &&
           spelling_hex(ledger_text_value(text, "root"), read->root, sizeof read->root) &&
           spelling_hex(ledger_text_value(text, "vrf"), read->vrf_key, sizeof read->vrf_key) &&
           read_number(text, "erased", &read->erased);
}

/* Does the text begin with these lines, and go on with nothing or with who did it? */
static bool is_spelt(struct slice text, struct slice lines)
{
    static const char by[] = "\nby=";
    if (text.len < lines.len || memcmp(text.data, lines.data, lines.len) != 0)
        return false;
    size_t rest = text.len - lines.len;
    return rest == 0 ||
           (rest >= sizeof by - 1 && memcmp(text.data + lines.len, by, sizeof by - 1) == 0 &&
            memchr(text.data + lines.len + 1, '\n', rest - 1) == NULL);
}

enum status never_commitment_parse(struct slice text, struct never_commitment *commitment,
                                   struct error *error)
{
    struct never_commitment read;
    struct buffer lines;
    bool good = false;
    buffer_init(&lines, NEVER_COMMITMENT_BYTES);
    if (read_lines(text, &read)) {
        never_commitment_format(&read, &lines);
        good = !lines.overflowed && is_spelt(text, buffer_slice(&lines));
    }
    buffer_free(&lines);
    if (!good)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "the lines of the commitment are malformed");
    *commitment = read;
    return STATUS_OK;
}
