/* Fuzz target: the header of mail that anybody may send. Whatever is taken from it is bounded,
 * usable and of our domain. */
#include <string.h>

#include "base/check.h"
#include "mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mail_arrival arrival;
    struct error error;
    if (mail_parse_arrival(slice_of(data, size), "post.example", &arrival, &error) != STATUS_OK)
        return 0;
    CHECK(arrival.count > 0 && arrival.count <= MAIL_RECIPIENTS);
    for (size_t i = 0; i < arrival.count; i++) {
        CHECK(mail_address_usable(arrival.recipients[i]));
        CHECK(strcmp(strrchr(arrival.recipients[i], '@'), "@post.example") == 0);
    }
    CHECK(strspn(arrival.sender_domain, "abcdefghijklmnopqrstuvwxyz0123456789.-") ==
          strlen(arrival.sender_domain));
    size_t hash = strlen(arrival.id_hash);
    CHECK(hash == 0 || hash == sizeof arrival.id_hash - 1);
    return 0;
}
