#ifndef ASSAY_RUNNER_STEPS_CALIBRATION_H_
#define ASSAY_RUNNER_STEPS_CALIBRATION_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "runner/steps/frame.h"
#include "runner/steps/load_generator.h"
#include "runner/steps/surroundings.h"

namespace assay::steps {

// What the reference solution said of this machine.
struct Calibration {
  bool done = false;
  // How many times as long as on the author's machine everything takes.
  double slowness = 1;
  // Why it is not known: nothing of the candidate's.
  std::string problem;
};

// Between these a machine can stand in for the author's; a slower one measures
// its own queues.
inline constexpr double kLeastSlowness = 0.1;
inline constexpr double kMostSlowness = 10;

// From the reference's figure here and on the author's machine, in ms.
Calibration SlownessFrom(double here, double at);

// Starts the reference in cells of its own, does to it what the check did to
// the candidate's service before the load at `steps[load]`, and sends it the
// same load. Nothing of it is told. The frame is left as it is.
boost::asio::awaitable<Calibration> CalibrateLoad(
    const assay::plan::v1::Plan& plan,
    const google::protobuf::RepeatedPtrField<assay::plan::v1::Step>& steps,
    int load, const Frame& frame, Surroundings& surroundings);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_CALIBRATION_H_
