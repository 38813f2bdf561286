"""The atlas: published findings, reproduced, judged and drawn on one page."""
