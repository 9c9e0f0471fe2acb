/* Filings: what was sent to which authority, when. It stops that authority's clock. */
#include <string.h>

#include "base/clock.h"
#include "incident/casefile.h"
#include "incident/evidence.h"
#include "incident/facts.h"
#include "incident/opening.h"
#include "policy/suggest.h"

enum { MOST_AUTHORITIES = 64, REFERENCE_BYTES = 200, WHY_ROOM = 600, HINT_ROOM = 200 };

static enum status check_authority(const struct casefile *casefile, const char *name,
                                   struct error *error)
{
    const char *names[MOST_AUTHORITIES + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < casefile->deadlines.law_count; i++) {
        const struct jurisdiction *law = casefile->deadlines.laws[i];
        for (size_t a = 0; a < law->authority_count && count < MOST_AUTHORITIES; a++) {
            if (strcmp(law->authorities[a].name, name) == 0)
                return STATUS_OK;
            names[count++] = law->authorities[a].name;
        }
    }
    char list[HINT_ROOM];
    suggest_list(names, list, sizeof list);
    return error_set(error, STATUS_NOT_FOUND, "42704",
                     count == 0 ? "name jurisdictions in the policy's controller" : list,
                     "\"%.60s\" is no authority of the policy's jurisdictions", name);
}

static enum status judge(const struct casefile *casefile, const struct filing_request *request,
                         int64_t *at_ns, struct error *error)
{
    TRY(check_authority(casefile, request->authority, error));
    if (request->reference[0] == '\0' || strlen(request->reference) > REFERENCE_BYTES)
        return error_set(error, STATUS_INVALID, "22023", "as the authority gave it",
                         "a reference of 1 to %d bytes is needed", REFERENCE_BYTES);
    TRY(opening_instant("--at", request->at == NULL ? "now" : request->at, clock_now_ns(), at_ns,
                        error));
    if (*at_ns < casefile->incident.noticed_ns)
        return error_set(error, STATUS_INVALID, "22008", NULL,
                         "--at: that is before the breach was noticed");
    return STATUS_OK;
}

/* The sheet beside the case: "filed-ico-2-sheet.txt". */
static enum status keep_sheet(struct casework *casework, const struct casefile *casefile,
                              const struct filing_request *request,
                              char sha256[static EVIDENCE_HEX_ROOM], struct error *error)
{
    char prefix[64], name[EVIDENCE_NAME_ROOM];
    struct buffer bytes;
    snprintf(prefix, sizeof prefix, "filed-%.32s-%zu", request->authority,
             casefile->filings.row_count + 1);
    evidence_name(prefix, request->sheet, name);
    buffer_init(&bytes, EVIDENCE_BYTES);
    enum status status = evidence_read(request->sheet, &bytes, sha256, error);
    if (status == STATUS_OK)
        status = evidence_keep(casework, casefile->incident.number, name, buffer_slice(&bytes),
                               sha256, "what was filed with an authority", error);
    buffer_free(&bytes);
    return status;
}

static enum status record(struct casework *casework, const struct casefile *casefile,
                          const struct filing_request *request, struct error *error)
{
    char sha256[EVIDENCE_HEX_ROOM] = "", why[WHY_ROOM], at[21];
    struct incident_filing filing = {.authority = request->authority,
                                     .reference = request->reference,
                                     .by = casework->by,
                                     .phase = casefile->phase.number};
    TRY(judge(casefile, request, &filing.at_ns, error));
    if (request->sheet != NULL) {
        TRY(keep_sheet(casework, casefile, request, sha256, error));
        filing.sheet_sha256 = sha256;
    }
    int64_t number = casefile->incident.number;
    TRY(incidents_add_filing(casework->incidents, number, &filing, error));
    clock_format_utc(filing.at_ns, at);
    snprintf(why, sizeof why, "filed with %.60s at %s, reference %.200s%s%s", request->authority,
             at, request->reference, sha256[0] == '\0' ? "" : ", sheet SHA-256 ", sha256);
    return casework_decide(casework, number, casefile->incident.partner, "file report", why, error);
}

enum status filing_record(struct casework *casework, int64_t number,
                          const struct filing_request *request, struct error *error)
{
    struct casefile casefile;
    TRY(casework_check_open(casework, number, error));
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK)
        status = record(casework, &casefile, request, error);
    casefile_close(&casefile);
    return status;
}
