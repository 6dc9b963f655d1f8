# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

import html
import json
import os

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from .launcher import LaunchError, launch


class ImageParameter(QgsProcessingParameterRasterLayer):
    """A raster layer, or a file that QGIS does not take for one, such as a table of endmembers."""

    def checkValueIsAcceptable(self, value, context=None):
        return (isinstance(value, str) and os.path.isfile(value)) or super().checkValueIsAcceptable(value, context)


class ChoiceParameter(QgsProcessingParameterEnum):
    """A list of choices, which are also known by their keys: layout=patches."""

    def __init__(self, description, text, default, optional):
        self.keys = description["choices"]
        names = [name if name == key else key + ": " + name for key, name in zip(self.keys, description["choiceNames"])]
        super().__init__(description["key"], text, names, False, default, optional)

    def checkValueIsAcceptable(self, value, context=None):
        return value in self.keys or super().checkValueIsAcceptable(value, context)


class HudAlgorithm(QgsProcessingAlgorithm):
    """An application as its description in JSON tells, run by OTB's launcher. OTB's own class neither hands on 0 and unticked
    boxes, nor looks whether the user cancels, nor at the exit status."""

    def __init__(self, path, tools):
        super().__init__()
        self._path = path
        self._tools = tools  # OTB's settings
        with open(path, encoding="utf-8") as file:
            self._description = json.load(file)

    def createInstance(self):
        return HudAlgorithm(self._path, self._tools)

    def name(self):
        return self._description["name"]

    def displayName(self):
        return self._description["name"] + ": " + self._description["title"]

    def group(self):
        return self._description["group"]

    def groupId(self):
        return self._description["group"]

    def icon(self):
        return QgsApplication.getThemeIcon("/providerOtb.svg")

    def shortDescription(self):
        return self._description["title"]

    def shortHelpString(self):
        def paragraph(text):
            return "<p>" + html.escape(text) + "</p>"

        def entry(parameter):
            return "<p><b>" + html.escape(parameter["name"]) + "</b> (" + parameter["key"] + ")<br>" + html.escape(
                parameter["help"]) + "</p>"

        text = paragraph(self._description["title"] + ".") + paragraph(self._description["help"])
        if self._description["limitations"] not in ("", "None"):
            text += paragraph(self._description["limitations"])
        for heading, advanced in (("Parameters", False), ("Advanced parameters", True)):
            entries = [entry(p) for p in self._description["parameters"] if p["advanced"] == advanced]
            if entries:
                text += "<h3>" + heading + "</h3>" + "".join(entries)
        return text

    def initAlgorithm(self, configuration=None):
        for description in self._description["parameters"]:
            parameter = self._parameter(description)
            parameter.setHelp(description["help"])
            if description["advanced"]:
                parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.FlagAdvanced)
            self.addParameter(parameter)

    @staticmethod
    def _parameter(description):
        key, text, kind = description["key"], description["name"], description["kind"]
        default = description.get("default")
        optional = description["optional"] and default is None
        extension = description.get("extension", "")
        if kind == "image":
            return ImageParameter(key, text, None, optional)
        if kind == "images":
            return QgsProcessingParameterMultipleLayers(key, text, QgsProcessing.TypeRaster, None, optional)
        if kind == "files":
            return QgsProcessingParameterMultipleLayers(key, text, QgsProcessing.TypeFile, None, optional)
        if kind == "file":
            return QgsProcessingParameterFile(key, text, QgsProcessingParameterFile.File, "", None, optional)
        if kind == "output image":
            return QgsProcessingParameterRasterDestination(key, text, None, optional)
        if kind == "output file":
            filter = extension[1:].upper() + " (*" + extension + ");;All files (*.*)" if extension else ""
            # An optional file is not written unless the user names it.
            return QgsProcessingParameterFileDestination(key, text, filter, None, optional, not optional)
        if kind == "choice":
            return ChoiceParameter(description, text, default, optional)
        if kind == "boolean":
            return QgsProcessingParameterBoolean(key, text, default, optional)
        if kind == "text":
            return QgsProcessingParameterString(key, text, default, False, optional)
        number = QgsProcessingParameterNumber(
            key, text, QgsProcessingParameterNumber.Integer if kind == "integer" else QgsProcessingParameterNumber.Double,
            default, optional)
        if "minimum" in description:
            number.setMinimum(description["minimum"])
        if "maximum" in description:
            number.setMaximum(description["maximum"])
        if kind == "number":
            number.setMetadata({"widget_wrapper": {"decimals": 6}})
        return number

    def processAlgorithm(self, parameters, context, feedback):
        arguments = []
        outputs = {}
        for description in self._description["parameters"]:
            key, kind = description["key"], description["kind"]
            if parameters.get(key) in (None, "", []):
                continue
            if kind == "output image":
                values = [self.parameterAsOutputLayer(parameters, key, context)]
            elif kind == "output file":
                values = [self.parameterAsFileOutput(parameters, key, context)]
            else:
                values = self._values(description, parameters, context)
            values = [value for value in values if value]
            if values:
                arguments += ["-" + key] + values
                if kind.startswith("output"):
                    outputs[key] = values[0]
        program = self._tools.getExecutableInPath(self._tools.otbFolder(), "otbApplicationLauncherCommandLine")
        environment = {"OTB_LOGGER_LEVEL": self._tools.loggerLevel()}
        if self._tools.maxRAMHint():
            environment["OTB_MAX_RAM_HINT"] = self._tools.maxRAMHint()
        try:
            launch([program, self.name(), self._tools.appFolder()] + arguments, environment, feedback)
        except LaunchError as error:
            raise QgsProcessingException(str(error)) from error
        return outputs

    def _values(self, description, parameters, context):
        """Returns an input's value as arguments; none where it is the default, which the application then knows as such."""
        key, kind, default = description["key"], description["kind"], description.get("default")
        if kind == "image":
            return [self._source(key, parameters, context)]
        if kind == "images":
            return [layer.source() for layer in self.parameterAsLayerList(parameters, key, context)]
        if kind == "files":
            return self.parameterAsFileList(parameters, key, context)
        if kind == "file":
            return [self.parameterAsFile(parameters, key, context)]
        if kind == "choice":
            keys = description["choices"]
            value = parameters[key]
            if value not in keys:
                value = keys[self.parameterAsEnum(parameters, key, context)]
            return [] if value == keys[default] else [value]
        if kind == "boolean":
            value = self.parameterAsBoolean(parameters, key, context)
            return [] if value == default else [str(value).lower()]
        if kind == "integer":
            value = self.parameterAsInt(parameters, key, context)
        elif kind == "number":
            value = self.parameterAsDouble(parameters, key, context)
        else:
            value = self.parameterAsString(parameters, key, context)
        return [] if value == default else [str(value)]

    def _source(self, key, parameters, context):
        layer = self.parameterAsRasterLayer(parameters, key, context)
        if layer is not None:
            return layer.source()
        return QgsProcessingUtils.normalizeLayerSource(str(parameters[key]))
