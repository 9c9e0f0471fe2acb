/* A partner's kit: what the other side needs to connect, and to know what it may ask. */
#ifndef COFFERDAM_CLI_KIT_H
#define COFFERDAM_CLI_KIT_H

#include "base/buffer.h"
#include "policy/policy.h"

struct kit {
    const struct policy *policy;
    const struct policy_partner *partner;
    const struct policy_agent *agent;
    const char *host, *database;
    uint16_t port;
    bool has_certificate; /* client.crt and the like are in the kit */
    int64_t expires_ns;   /* of the certificate */
};

/* Appends README.txt. */
void kit_readme(const struct kit *kit, struct buffer *out);
/* Appends pg_service.conf, with one service named after the agent (partner-agent). */
void kit_service(const struct kit *kit, struct buffer *out);

#endif
