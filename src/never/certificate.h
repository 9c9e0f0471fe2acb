/* The certificate's text: docs/NEVER-FORMAT.md, "Certificate". What is parsed is written again and
 * compared, so there is one spelling and the words say what the proof shows. Whether it holds is
 * verify.c's. One thread an object. Private to never/. */
#ifndef COFFERDAM_NEVER_CERTIFICATE_H
#define COFFERDAM_NEVER_CERTIFICATE_H

#include "ledger/proof.h"
#include "never/marks.h"
#include "never/never.h"
#include "never/sorted_tree.h"

enum { CERTIFICATE_NEIGHBOURS = 2 };

struct certificate {
    char origin[CHECKPOINT_ORIGIN_ROOM];
    uint64_t from, entries, erased; /* as the commitment says */
    int64_t since_ns, as_of_ns;
    struct never_question question;
    uint8_t vrf_proof[VRF_PROOF_BYTES];
    bool present;   /* the person has a leaf, and inner shows what is not in their own tree */
    uint64_t place; /* of the first leaf shown: one if present, else two neighbours */
    struct marks_leaf leaves[CERTIFICATE_NEIGHBOURS];
    struct sorted_path path;
    uint64_t inner_place, inner_leaves;
    uint8_t inner_root[SORTED_HASH_BYTES];
    uint8_t inner_marks[CERTIFICATE_NEIGHBOURS][MARK_BYTES];
    struct sorted_path inner_path;
    uint64_t sequence; /* of the commitment's entry */
    struct buffer entry;
    struct proof inclusion;
    struct slice checkpoint; /* the signed note; borrowed */
};

void certificate_init(struct certificate *certificate);
void certificate_free(struct certificate *certificate);
void certificate_format(const struct certificate *certificate, struct buffer *out);
/* Into an initialised one, which is freed also after a failure. The checkpoint borrows bytes.
 * STATUS_INVALID. */
MUST_USE enum status certificate_parse(struct slice bytes, struct certificate *certificate,
                                       struct error *error);

extern const char certificate_head[]; /* the first line, with its newline */

#endif
