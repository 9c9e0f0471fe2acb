/* Files of templates as their authors check them: the language from the name, the rules and words
 * from the data folder, an invented case. */
#ifndef COFFERDAM_INCIDENT_LINT_FILE_H
#define COFFERDAM_INCIDENT_LINT_FILE_H

#include "base/status.h"
#include "base/table.h"

/* An empty table of findings: file, line, rule, found, pass. */
void lint_table(struct table *findings);
/* Adds what is to be mended in "…/NAME.LANGUAGE.txt" to the findings. A template that
 * cannot be read at all is STATUS_INVALID with file and line. */
MUST_USE enum status lint_file(const char *data_folder, const char *path, struct table *findings,
                               struct error *error);
/* Writes the template's messages to the sample people as DIR/notice-SAMPLE.LANGUAGE.txt and, of the
 * first, .html. */
MUST_USE enum status lint_file_samples(const char *data_folder, const char *path,
                                       const char *folder, struct error *error);

#endif
