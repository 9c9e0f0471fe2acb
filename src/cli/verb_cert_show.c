/* cofferdam cert show: what a certificate says of itself, and what it is called when it is revoked.
 */
#include "cli/certificate_file.h"
#include "cli/json.h"
#include "cli/verbs.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/crypto.h"

static enum status run(struct cli_call *call, struct error *error)
{
    struct description found;
    char from[21] = "-", until[21] = "never", issuer[65];
    TRY(certificate_file(call->arguments[0], &found, error));
    if (found.not_before_ns != INT64_MIN)
        clock_format_utc(found.not_before_ns, from);
    if (found.credential.expires_ns != INT64_MAX)
        clock_format_utc(found.credential.expires_ns, until);
    crypto_hex(found.credential.issuer, sizeof found.credential.issuer, issuer);
    const char *const pairs[][2] = {
        {"serial", found.credential.id},
        {"subject", found.subject},
        {"names", found.names},
        {"issuer", found.issuer},
        {"issuer_id", issuer},
        {"key", found.key},
        {"valid_from", from},
        {"valid_until", until},
        {"fingerprint", found.fingerprint},
        {"authority", found.authority ? "yes" : "no"},
    };
    json_t *object = call->json ? json_object() : NULL;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (call->json)
            CHECK(json_object_set_new(object, pairs[i][0],
                                      json_stringn_nocheck(pairs[i][1], strlen(pairs[i][1]))) == 0);
        else
            cli_print_pair(stdout, pairs[i][0], pairs[i][1]);
    }
    return call->json ? cli_json_print(object, false, error) : STATUS_OK;
}

const struct cli_command verb_cert_show = {
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_JSON,
    .description =
        "Tells what a certificate (PEM or DER) says of itself. Nothing of it is verified: that is\n"
        "the gateway's when it is presented.",
    .examples = "cert show north-mail/client.crt\n",
    .run = run,
};
