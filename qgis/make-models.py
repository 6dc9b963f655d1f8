# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Writes the Processing models of qgis/models; for whoever changes them. QGIS 3.22, so that newer ones read them too:
#   QT_HASH_SEED=0 QT_QPA_PLATFORM=offscreen /usr/bin/python3 qgis/make-models.py
import os

from qgis.core import (
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource as Source,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QPointF

HELP = """Learns from a hyperspectral {scene} and generates a synthetic one: {steps}unmixing into endmembers and abundances, training of a
model, a synthetic scene with its abundances, and a page that says how near it is to the real one. Training takes most of
the time: 2000 iterations about 5 minutes on 2 cores. For more parameters run the applications one by one."""


def number(name, text, value, least):
    return QgsProcessingParameterNumber(name, text, QgsProcessingParameterNumber.Integer, value, False, least)


class Model:
    """A model in which each step stands below the one before."""

    def __init__(self, name, title, help):
        self.algorithm = QgsProcessingModelAlgorithm(title, "Hyperspectral")
        self._name = name
        self.algorithm.setHelpContent({"ALG_DESC": help.replace("\n", " "), "ALG_CREATOR": "The HUD developers"})
        self._steps = 0
        self._order = []

    def add_input(self, parameter):
        component = QgsProcessingModelParameter(parameter.name())
        component.setPosition(QPointF(120, 80 + 80 * len(self.algorithm.parameterComponents())))
        self.algorithm.addModelParameter(parameter, component)
        self._order.append(parameter.name())
        self.algorithm.setParameterOrder(self._order)

    def add_step(self, key, application, text, sources, outputs, needed=()):
        """outputs: name of the application's output to (name, text) of the model's; needed: those that later steps read."""
        step = QgsProcessingModelChildAlgorithm("otb:" + application)
        step.setChildId(key)
        step.setDescription(text)
        step.setPosition(QPointF(420, 100 + 160 * self._steps))
        for name, source in sources.items():
            step.addParameterSources(name, [source])
        results = {}
        for row, (output, (name, label)) in enumerate(outputs.items()):
            result = QgsProcessingModelOutput(name, label)
            result.setChildId(key)
            result.setChildOutputName(output)
            # An output of the model that the user skips is not made, even if a later step reads it.
            result.setMandatory(output in needed)
            result.setPosition(QPointF(720, 80 + 160 * self._steps + 60 * row))
            results[name] = result
        step.setModelOutputs(results)
        self.algorithm.addChildAlgorithm(step)
        self._steps += 1

    def write(self, folder):
        path = os.path.join(folder, self._name + ".model3")
        if not self.algorithm.toFile(path):
            raise SystemExit("cannot write " + path)


def synthetic_scene():
    model = Model("hud_synthetic_scene", "HUD synthetic scene", HELP.format(scene="scene", steps=""))
    model.add_input(QgsProcessingParameterRasterLayer("scene", "Real hyperspectral scene"))
    return complete(model, Source.fromModelParameter("scene"))


def synthetic_scene_from_product():
    model = Model("hud_synthetic_scene_from_product", "HUD synthetic scene from a PRISMA product",
                  HELP.format(scene="product", steps="import as an image with wavelengths, "))
    model.add_input(QgsProcessingParameterFile("product", "PRISMA product (.he5) or MATLAB scene (.mat)"))
    model.add_input(QgsProcessingParameterString("exclude", "Wavelengths to leave out (nm)", "1350-1450 1800-1950", False, True))
    model.add_step("import", "HUDImport", "Import the product",
                   {"in": Source.fromModelParameter("product"), "exclude": Source.fromModelParameter("exclude")},
                   {"out": ("scene", "Real scene")}, ["out"])
    return complete(model, Source.fromChildOutput("import", "out"))


def complete(model, scene):
    """Adds what all models have in common. scene: where the real one comes from."""
    model.add_input(number("endmembers", "Number of endmembers (0: estimated)", 4, 0))
    model.add_input(number("iterations", "Iterations of training", 2000, 1))
    model.add_input(number("width", "Width of the synthetic scene (pixels)", 128, 32))
    model.add_input(number("height", "Height of the synthetic scene (pixels)", 128, 32))
    model.add_input(number("seed", "Random seed", 0, 0))
    seed = Source.fromModelParameter("seed")
    model.add_step("unmix", "HUDUnmix", "Unmix the real scene",
                   {"in": scene, "ne": Source.fromModelParameter("endmembers"), "rand": seed},
                   {"out": ("abundances", "Abundances of the real scene"), "outendm": ("endmembers", "Endmembers")}, ["outendm"])
    endmembers = Source.fromChildOutput("unmix", "outendm")
    model.add_step("train", "HUDTrain", "Train a model",
                   {"il": scene, "ie": endmembers, "iterations": Source.fromModelParameter("iterations"), "rand": seed},
                   {"out": ("model", "Trained model")}, ["out"])
    model.add_step("sample", "HUDSample", "Generate a scene",
                   {"model": Source.fromChildOutput("train", "out"), "sizex": Source.fromModelParameter("width"),
                    "sizey": Source.fromModelParameter("height"), "rand": seed},
                   {"out": ("scene", "Synthetic scene"), "outabund": ("abundances", "Abundances of the synthetic scene")},
                   ["out"])
    model.add_step("evaluate", "HUDEvaluate", "Compare it with the real scene",
                   {"in": scene, "gen": Source.fromChildOutput("sample", "out"), "ie": endmembers, "rand": seed},
                   {"report": ("page", "Page of the evaluation"), "out": ("figures", "Figures of the evaluation")})
    return model


application = QgsApplication([], False)
application.initQgis()
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
for model in (synthetic_scene(), synthetic_scene_from_product()):
    model.write(folder)
