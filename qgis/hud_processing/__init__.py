# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers


def classFactory(iface):
    from .plugin import HudPlugin

    return HudPlugin()
