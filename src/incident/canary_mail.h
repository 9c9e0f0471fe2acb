/* Canary mail: what comes to the e-mail addresses of invented people in deliveries, from a Maildir.
 * Only a copy of a delivery has these addresses. The gateway knows whose they are and raises the
 * alarm; of the mail it is told the recipients, the sender's domain and a hash of the Message-ID,
 * and nothing else leaves this process. One thread. */
#ifndef COFFERDAM_INCIDENT_CANARY_MAIL_H
#define COFFERDAM_INCIDENT_CANARY_MAIL_H

#include "incident/casework.h"
#include "mail/maildir.h"

/* All that has come since the last call. Mail to a canary moves once its alarm is stored; where the
 * gateway cannot be asked, it stays for the next call. *taken: how many moved. */
MUST_USE enum status canary_mail_read(struct maildir *maildir, struct casework *casework,
                                      uint64_t *taken, struct error *error);

#endif
