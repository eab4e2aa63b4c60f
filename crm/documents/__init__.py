"""Documents made of the CRM's figures: meeting packs as HTML mail and as PDF, drawn without a browser."""

from crm.documents.packs import Made, Section, make, names

__all__ = ["Made", "Section", "make", "names"]
