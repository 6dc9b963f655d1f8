# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

import importlib
import os

from qgis.core import Qgis, QgsApplication, QgsMessageLog

from .algorithm import HudAlgorithm

# OTB's provider: in QGIS until 3.34, from the catalogue of plugins later.
PROVIDERS = ("otbprovider", "orfeoToolbox_provider")


def description_of(descriptor):
    """Returns the description beside a descriptor of OTB's provider."""
    return os.path.splitext(descriptor)[0] + ".json"


class HudPlugin:
    """Has OTB's provider make a HudAlgorithm of each application that comes with a description in JSON."""

    def __init__(self):
        self._replaced = []

    def initProcessing(self):
        for name in PROVIDERS:
            try:
                module = importlib.import_module(name + ".OtbAlgorithmProvider")
                tools = importlib.import_module(name + ".OtbUtils").OtbUtils
                original = module.OtbAlgorithm
            except (ImportError, AttributeError):
                continue

            def make(group, name, descriptor, *others, original=original, tools=tools):
                if os.path.isfile(description_of(descriptor)):
                    return HudAlgorithm(description_of(descriptor), tools)
                return original(group, name, descriptor, *others)

            module.OtbAlgorithm = make
            self._replaced.append((module, original))
        if not self._replaced:
            QgsMessageLog.logMessage("OTB's provider is not there: enable it among the plugins.", "HUD", Qgis.Warning)
        self._refresh()

    def initGui(self):
        self.initProcessing()

    def unload(self):
        for module, original in self._replaced:
            module.OtbAlgorithm = original
        self._replaced = []
        self._refresh()

    @staticmethod
    def _refresh():
        provider = QgsApplication.processingRegistry().providerById("otb")
        if provider is not None:
            provider.refreshAlgorithms()
