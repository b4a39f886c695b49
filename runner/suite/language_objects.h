#ifndef ASSAY_RUNNER_SUITE_LANGUAGE_OBJECTS_H_
#define ASSAY_RUNNER_SUITE_LANGUAGE_OBJECTS_H_

#include "runner/suite/language.h"

// The rows of the table that only the table itself refers to.
namespace assay::suite {

// Keys that every step has; those of steps that can be repeated until they
// hold; and both in front of a verb's own.
std::vector<Key> StepKeys(std::vector<Key> own, bool repeatable);

const Object& GraphqlStepObject();
const Object& SqlStepObject();
const Object& RedisStepObject();
const Object& UseStepObject();
const Object& LoadStepObject();
const Object& BurstStepObject();
const Object& FaultStepObject();
const Object& HealStepObject();
const Object& RestartStepObject();
const Object& TraceStepObject();
const Object& LogsStepObject();
const Object& MetricsStepObject();
const Object& CommandStepObject();
const Object& WebsocketStepObject();
const Object& EventsStepObject();
const Object& GrpcStepObject();
const Object& MutantsStepObject();
const Object& WaitStepObject();

const Object& HttpExpectObject();
const Object& CaptureObject();
const Object& AuthObject();
const Object& EventuallyObject();
const Object& CommandObject();
const Object& SidecarObject();
const Object& UpstreamObject();
const Object& ImportObject();

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_LANGUAGE_OBJECTS_H_
