/* A CA in the test's folder, and leaves of it: opened for each, as the verbs do. */
#ifndef COFFERDAM_TESTS_IDENTITY_CA_H
#define COFFERDAM_TESTS_IDENTITY_CA_H

#include "folder.h"
#include "identity/authority.h"

static const char sealing[] = "correct horse battery";

static inline enum status ca_create(struct folder *in, const char *name, int days,
                                    struct error *why)
{
    struct identity_ca_plan plan = {.name = name, .days = days};
    return identity_ca_create(in->path, &plan, why);
}

static inline enum status ca_issue(struct folder *in, const struct identity_leaf *leaf,
                                   struct buffer *certificate, struct buffer *key,
                                   struct error *why)
{
    struct identity_ca *ca = NULL;
    TRY(identity_ca_open(in->path, slice_of(NULL, 0), slice_of_text(sealing), &ca, why));
    enum status status = identity_issue(ca, leaf, certificate, key, why);
    identity_ca_close(ca);
    return status;
}

#endif
