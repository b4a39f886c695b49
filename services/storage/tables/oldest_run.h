#ifndef ASSAY_SERVICES_STORAGE_TABLES_OLDEST_RUN_H_
#define ASSAY_SERVICES_STORAGE_TABLES_OLDEST_RUN_H_

// Pieces of the statements that say whose turn it is. Of this folder only.

// Has the attempt of `r` fewer runs under way than it may? Few are passed over:
// each waits behind one that is under way.
#define ASSAY_MAY_RUN                                                  \
  "(r.at_once = 0 OR r.at_once > "                                     \
  "(SELECT COUNT(*) FROM runs AS b WHERE b.state = 2 AND b.attempt = " \
  "r.attempt))"

// The oldest of the most urgent runs that may run.
#define ASSAY_OLDEST_RUN                                            \
  "SELECT r.id FROM runs AS r WHERE r.state = 1 AND " ASSAY_MAY_RUN \
  " ORDER BY r.priority DESC, r.queue_time, r.id LIMIT 1"

#endif  // ASSAY_SERVICES_STORAGE_TABLES_OLDEST_RUN_H_
