// The table's rows for verify.yaml: what solutions of known quality score.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

// Check ids, or points by check id.
std::vector<Shape> Points() { return {List(Id()), Map(Number(0, 100'000))}; }

const Object& ReferenceObject() {
  static const Object kObject = {
      "a reference",
      "A sound solution: it has to get every point, bonus included.",
      {
          {"folder",
           {Folder()},
           true,
           "Where it is; variants are made from it."},
          {"others",
           {List(Folder(), 0, 50)},
           false,
           "More solutions that have to get every point."},
      },
      "reference: { folder: solutions/sound, others: [ solutions/node ] }"};
  return kObject;
}

const Object& TemplateObject() {
  static const Object kObject = {
      "a template",
      "What a candidate starts from.",
      {
          {"folder", {Folder()}, true, "Where it is."},
          {"earns",
           {Points()[0], Points()[1]},
           false,
           "Checks that it passes as it is, or points by check; the others "
           "earn nothing.",
           "[]"},
      },
      "template: { folder: template, earns: [health] }"};
  return kObject;
}

const Object& BrokenVariantObject() {
  static const Object kObject = {
      "a broken variant",
      "The reference with one thing wrong, and what that has to cost.",
      {
          {"id", {Id()}, true, "Names it in the kill table."},
          {"title", {Text()}, true, "What is broken, in a few words."},
          {"patch", {File()}, false, "A patch to the reference (`git apply`)."},
          {"overlay",
           {Folder()},
           false,
           "A folder whose files are laid over the reference's."},
          {"folder", {Folder()}, false, "A whole solution of its own."},
          {"loses",
           {Points()[0], Points()[1]},
           true,
           "Checks that it loses all points of, or lost points by check; it "
           "keeps all others."},
      },
      "variants:\n"
      "  - id: anybody-reads\n"
      "    title: Orders are read without asking whose they are\n"
      "    patch: broken/anybody-reads.patch\n"
      "    loses: [other-peoples-orders]",
      {{{"patch", "overlay", "folder"}, true}}};
  return kObject;
}

}  // namespace

const Object& VerificationObject() {
  static const Object kObject = {
      "a verification",
      "`verify.yaml`, beside the suite's folder: solutions of known quality, "
      "which `assay suite verify` holds the suite against. Paths are relative "
      "to this file.",
      {
          {"version", {Integer(1, 1)}, false, "Of this format: 1.", "1"},
          {"suite", {Folder()}, false, "The suite's folder.", "suite"},
          {"reference", {Of(ReferenceObject)}, true, "What gets everything."},
          {"template",
           {Of(TemplateObject)},
           false,
           "What candidates start from."},
          {"variants",
           {List(Of(BrokenVariantObject), 1, 200)},
           true,
           "What loses exactly what it should."},
      },
      "reference: { folder: solutions/sound }"};
  return kObject;
}

}  // namespace assay::suite
