// The table's rows for rubrics.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

const Object& CriterionObject() {
  static const Object kObject = {
      "a criterion",
      "One thing that reviewers rate from 1 to 4.",
      {
          {"id", {Id()}, true, "Stays the same over versions."},
          {"title", {Text()}, true, "A few words."},
          {"weight",
           {Number(0, 1000)},
           false,
           "Against the other criteria.",
           "1"},
          {"anchors",
           {List(Text(), 4, 4), Map(Text())},
           true,
           "One sentence for each of 1 to 4, so that two reviewers mean the "
           "same by a 3."},
          {"needs_note",
           {Bool()},
           false,
           "Whether a rating must say why.",
           "false"},
      }};
  return kObject;
}

}  // namespace

const Object& RubricObject() {
  static const Object kObject = {
      "a rubric",
      "`rubric.yaml`: what people judge.",
      {
          {"version", {Integer(1, 1)}, false, "Of this format: 1.", "1"},
          {"criteria",
           {List(Of(CriterionObject), 1, 50)},
           true,
           "In the order of the scorecard."},
      },
      "criteria:\n"
      "  - id: design\n"
      "    title: Structure of the code\n"
      "    weight: 2\n"
      "    anchors:\n"
      "      - One file does everything.\n"
      "      - Layers exist and leak.\n"
      "      - Layers with clear duties.\n"
      "      - A newcomer changes one place for one reason."};
  return kObject;
}

}  // namespace assay::suite
