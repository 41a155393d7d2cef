/*
 * The keywords: of RFC 3805 with the IANA-PRINTER-MIB (supply types, units,
 * alerts), of RFC 2790 (device status and errors), and our own.
 */
#include "schema/field.h"

const struct keyword words_asset_state[] = {
	{ ASSET_ONLINE, "online" },
	{ ASSET_ASLEEP, "asleep" },
	{ ASSET_UNREACHABLE, "unreachable" },
	{ 0, NULL }
};

const struct keyword words_strength[] = {
	{ KEY_SERIAL, "serial" },
	{ KEY_MAC, "mac" },
	{ KEY_UUID, "uuid" },
	{ KEY_ADDRESS, "address" },
	{ 0, NULL }
};

const struct keyword words_check[] = {
	{ CHECK_OK, "ok" },
	{ CHECK_MISMATCH, "mismatch" },
	{ CHECK_NONE, "none" },
	{ 0, NULL }
};

const struct keyword words_supply_state[] = {
	{ SUPPLY_OK, "ok" },
	{ SUPPLY_LOW, "low" },
	{ SUPPLY_EMPTY, "empty" },
	{ SUPPLY_SOME, "some" },
	{ SUPPLY_UNRESTRICTED, "unrestricted" },
	{ SUPPLY_UNKNOWN, "unknown" },
	{ SUPPLY_NOT_REPORTED, "not-reported" },
	{ 0, NULL }
};

const char *
words_supply_shown(const struct consumable *c)
{
	if (c->class == CLASS_FILLED && c->state == SUPPLY_EMPTY)
		return "full";
	return keyword_of(words_supply_state, c->state);
}

/* PrtMarkerSuppliesClassTC, whose own words (supplyThatIsConsumed) are long
 * for a column. */
const struct keyword words_supply_class[] = {
	{ CLASS_OTHER, "other" },
	{ CLASS_CONSUMED, "consumed" },
	{ CLASS_FILLED, "filled" },
	{ 0, NULL }
};

/* PrtMarkerSuppliesTypeTC */
const struct keyword words_supply_kind[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 3, "toner" },
	{ 4, "wasteToner" },
	{ 5, "ink" },
	{ 6, "inkCartridge" },
	{ 7, "inkRibbon" },
	{ 8, "wasteInk" },
	{ 9, "opc" },
	{ 10, "developer" },
	{ 11, "fuserOil" },
	{ 12, "solidWax" },
	{ 13, "ribbonWax" },
	{ 14, "wasteWax" },
	{ 15, "fuser" },
	{ 16, "coronaWire" },
	{ 17, "fuserOilWick" },
	{ 18, "cleanerUnit" },
	{ 19, "fuserCleaningPad" },
	{ 20, "transferUnit" },
	{ 21, "tonerCartridge" },
	{ 22, "fuserOiler" },
	{ 23, "water" },
	{ 24, "wasteWater" },
	{ 25, "glueWaterAdditive" },
	{ 26, "wastePaper" },
	{ 27, "bindingSupply" },
	{ 28, "bandingSupply" },
	{ 29, "stitchingWire" },
	{ 30, "shrinkWrap" },
	{ 31, "paperWrap" },
	{ 32, "staples" },
	{ 33, "inserts" },
	{ 34, "covers" },
	{ 35, "matteToner" },
	{ 36, "matteInk" },
	{ 0, NULL }
};

/* PrtMarkerSuppliesSupplyUnitTC and PrtMarkerCounterUnitTC, which number
 * alike; the spelling of 14 is the standard's. */
const struct keyword words_unit[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 3, "tenThousandthsOfInches" },
	{ 4, "micrometers" },
	{ 5, "characters" },
	{ 6, "lines" },
	{ 7, "impressions" },
	{ 8, "sheets" },
	{ 9, "dotRow" },
	{ 11, "hours" },
	{ 12, "thousandthsOfOunces" },
	{ 13, "tenthsOfGrams" },
	{ 14, "hundrethsOfFluidOunces" },
	{ 15, "tenthsOfMilliliters" },
	{ 16, "feet" },
	{ 17, "meters" },
	{ 18, "items" },
	{ 19, "percent" },
	{ 0, NULL }
};

/* hrPrinterDetectedErrorState; bit 0 is the most significant of the first
 * octet. */
const struct keyword words_error[] = {
	{ 0, "lowPaper" },
	{ 1, "noPaper" },
	{ 2, "lowToner" },
	{ 3, "noToner" },
	{ 4, "doorOpen" },
	{ 5, "jammed" },
	{ 6, "offline" },
	{ 7, "serviceRequested" },
	{ 8, "inputTrayMissing" },
	{ 9, "outputTrayMissing" },
	{ 10, "markerSupplyMissing" },
	{ 11, "outputNearFull" },
	{ 12, "outputFull" },
	{ 13, "inputTrayEmpty" },
	{ 14, "overduePreventMaint" },
	{ 0, NULL }
};

const struct keyword words_device_status[] = {
	{ 1, "unknown" },
	{ 2, "running" },
	{ 3, "warning" },
	{ 4, "testing" },
	{ 5, "down" },
	{ 0, NULL }
};

const struct keyword words_printer_status[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 3, "idle" },
	{ 4, "printing" },
	{ 5, "warmup" },
	{ 0, NULL }
};

/* PrtAlertSeverityLevelTC */
const struct keyword words_alert_severity[] = {
	{ 1, "other" },
	{ 3, "critical" },
	{ 4, "warning" },
	{ 5, "warningBinaryChangeEvent" },
	{ 0, NULL }
};

/* PrtAlertTrainingLevelTC */
const struct keyword words_alert_training[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 3, "untrained" },
	{ 4, "trained" },
	{ 5, "fieldService" },
	{ 6, "management" },
	{ 7, "noInterventionRequired" },
	{ 0, NULL }
};

/* PrtAlertGroupTC */
const struct keyword words_alert_group[] = {
	{ 1, "other" },
	{ 3, "hostResourcesMIBStorageTable" },
	{ 4, "hostResourcesMIBDeviceTable" },
	{ 5, "generalPrinter" },
	{ 6, "cover" },
	{ 7, "localization" },
	{ 8, "input" },
	{ 9, "output" },
	{ 10, "marker" },
	{ 11, "markerSupplies" },
	{ 12, "markerColorant" },
	{ 13, "mediaPath" },
	{ 14, "channel" },
	{ 15, "interpreter" },
	{ 16, "consoleDisplayBuffer" },
	{ 17, "consoleLights" },
	{ 18, "alert" },
	{ 30, "finDevice" },
	{ 31, "finSupply" },
	{ 32, "finSupplyMediaInput" },
	{ 33, "finAttribute" },
	/* PWG 5107.3 */
	{ 50, "scanDevice" },
	{ 51, "scanner" },
	{ 52, "scanMediaPath" },
	{ 60, "faxDevice" },
	{ 61, "faxModem" },
	{ 70, "outputChannel" },
	{ 0, NULL }
};

/* PrtAlertCodeTC */
const struct keyword words_alert_code[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	/* of any group */
	{ 3, "coverOpen" },
	{ 4, "coverClosed" },
	{ 5, "interlockOpen" },
	{ 6, "interlockClosed" },
	{ 7, "configurationChange" },
	{ 8, "jam" },
	{ 9, "subunitMissing" },
	{ 10, "subunitLifeAlmostOver" },
	{ 11, "subunitLifeOver" },
	{ 12, "subunitAlmostEmpty" },
	{ 13, "subunitEmpty" },
	{ 14, "subunitAlmostFull" },
	{ 15, "subunitFull" },
	{ 16, "subunitNearLimit" },
	{ 17, "subunitAtLimit" },
	{ 18, "subunitOpened" },
	{ 19, "subunitClosed" },
	{ 20, "subunitTurnedOn" },
	{ 21, "subunitTurnedOff" },
	{ 22, "subunitOffline" },
	{ 23, "subunitPowerSaver" },
	{ 24, "subunitWarmingUp" },
	{ 25, "subunitAdded" },
	{ 26, "subunitRemoved" },
	{ 27, "subunitResourceAdded" },
	{ 28, "subunitResourceRemoved" },
	{ 29, "subunitRecoverableFailure" },
	{ 30, "subunitUnrecoverableFailure" },
	{ 31, "subunitRecoverableStorageError" },
	{ 32, "subunitUnrecoverableStorageError" },
	{ 33, "subunitMotorFailure" },
	{ 34, "subunitMemoryExhausted" },
	{ 35, "subunitUnderTemperature" },
	{ 36, "subunitOverTemperature" },
	{ 37, "subunitTimingFailure" },
	{ 38, "subunitThermistorFailure" },
	/* general */
	{ 501, "doorOpen" },
	{ 502, "doorClosed" },
	{ 503, "powerUp" },
	{ 504, "powerDown" },
	{ 505, "printerNMSReset" },
	{ 506, "printerManualReset" },
	{ 507, "printerReadyToPrint" },
	/* input */
	{ 801, "inputMediaTrayMissing" },
	{ 802, "inputMediaSizeChange" },
	{ 803, "inputMediaWeightChange" },
	{ 804, "inputMediaTypeChange" },
	{ 805, "inputMediaColorChange" },
	{ 806, "inputMediaFormPartsChange" },
	{ 807, "inputMediaSupplyLow" },
	{ 808, "inputMediaSupplyEmpty" },
	{ 809, "inputMediaChangeRequest" },
	{ 810, "inputManualInputRequest" },
	{ 811, "inputTrayPositionFailure" },
	{ 812, "inputTrayElevationFailure" },
	{ 813, "inputCannotFeedSizeSelected" },
	/* output */
	{ 901, "outputMediaTrayMissing" },
	{ 902, "outputMediaTrayAlmostFull" },
	{ 903, "outputMediaTrayFull" },
	{ 904, "outputMailboxSelectFailure" },
	/* marker */
	{ 1001, "markerFuserUnderTemperature" },
	{ 1002, "markerFuserOverTemperature" },
	{ 1003, "markerFuserTimingFailure" },
	{ 1004, "markerFuserThermistorFailure" },
	{ 1005, "markerAdjustingPrintQuality" },
	/* marker supplies */
	{ 1101, "markerTonerEmpty" },
	{ 1102, "markerInkEmpty" },
	{ 1103, "markerPrintRibbonEmpty" },
	{ 1104, "markerTonerAlmostEmpty" },
	{ 1105, "markerInkAlmostEmpty" },
	{ 1106, "markerPrintRibbonAlmostEmpty" },
	{ 1107, "markerWasteTonerReceptacleAlmostFull" },
	{ 1108, "markerWasteInkReceptacleAlmostFull" },
	{ 1109, "markerWasteTonerReceptacleFull" },
	{ 1110, "markerWasteInkReceptacleFull" },
	{ 1111, "markerOpcLifeAlmostOver" },
	{ 1112, "markerOpcLifeOver" },
	{ 1113, "markerDeveloperAlmostEmpty" },
	{ 1114, "markerDeveloperEmpty" },
	{ 1115, "markerTonerCartridgeMissing" },
	{ 1116, "markerCleanerMissing" },
	{ 1117, "markerDeveloperMissing" },
	{ 1118, "markerFuserMissing" },
	{ 1119, "markerInkMissing" },
	{ 1120, "markerOpcMissing" },
	{ 1121, "markerPrintRibbonMissing" },
	{ 1122, "markerSupplyAlmostEmpty" },
	{ 1123, "markerSupplyEmpty" },
	{ 1124, "markerSupplyMissing" },
	{ 1125, "markerWasteAlmostFull" },
	{ 1126, "markerWasteFull" },
	{ 1127, "markerWasteMissing" },
	{ 1128, "markerWasteInkReceptacleMissing" },
	{ 1129, "markerWasteTonerReceptacleMissing" },
	{ 1130, "markerTonerMissing" },
	/* media path */
	{ 1301, "mediaPathMediaTrayMissing" },
	{ 1302, "mediaPathMediaTrayAlmostFull" },
	{ 1303, "mediaPathMediaTrayFull" },
	{ 1304, "mediaPathCannotDuplexMediaSelected" },
	{ 1305, "mediaPathFailure" },
	{ 1306, "mediaPathJam" },
	{ 1310, "mediaPathInputRequest" },
	{ 1311, "mediaPathInputFeedError" },
	{ 1312, "mediaPathInputJam" },
	{ 1321, "mediaPathOutputFeedError" },
	{ 1322, "mediaPathOutputJam" },
	{ 1323, "mediaPathOutputFull" },
	{ 1331, "mediaPathPickRollerLifeWarn" },
	{ 1332, "mediaPathPickRollerLifeOver" },
	{ 1333, "mediaPathPickRollerFailure" },
	{ 1334, "mediaPathPickRollerMissing" },
	/* interpreter */
	{ 1501, "interpreterMemoryIncrease" },
	{ 1502, "interpreterMemoryDecrease" },
	{ 1503, "interpreterCartridgeAdded" },
	{ 1504, "interpreterCartridgeDeleted" },
	{ 1505, "interpreterResourceAdded" },
	{ 1506, "interpreterResourceDeleted" },
	{ 1507, "interpreterResourceUnavailable" },
	{ 1509, "interpreterComplexPageEncountered" },
	/* alert */
	{ 1801, "alertRemovalOfBinaryChangeEntry" },
	/* scanner (PWG 5107.3) */
	{ 5101, "scannerLightLifeAlmostOver" },
	{ 5102, "scannerLightLifeOver" },
	{ 5103, "scannerLightFailure" },
	{ 5104, "scannerLightMissing" },
	{ 5111, "scannerSensorLifeAlmostOver" },
	{ 5112, "scannerSensorLifeOver" },
	{ 5113, "scannerSensorFailure" },
	{ 5114, "scannerSensorMissing" },
	/* scan media path */
	{ 5201, "scanMediaPathTrayMissing" },
	{ 5202, "scanMediaPathTrayAlmostFull" },
	{ 5203, "scanMediaPathTrayFull" },
	{ 5205, "scanMediaPathFailure" },
	{ 5206, "scanMediaPathJam" },
	{ 5210, "scanMediaPathInputRequest" },
	{ 5211, "scanMediaPathInputFeedError" },
	{ 5212, "scanMediaPathInputJam" },
	{ 5221, "scanMediaPathOutputFeedError" },
	{ 5222, "scanMediaPathOutputJam" },
	{ 5223, "scanMediaPathOutputFull" },
	{ 5231, "scanMediaPathPickRollerLifeWarn" },
	{ 5232, "scanMediaPathPickRollerLifeOver" },
	{ 5233, "scanMediaPathPickRollerFailure" },
	{ 5234, "scanMediaPathPickRollerMissing" },
	/* fax modem */
	{ 6101, "faxModemMissing" },
	{ 6102, "faxModemLifeAlmostOver" },
	{ 6103, "faxModemLifeOver" },
	{ 6104, "faxModemTurnedOn" },
	{ 6105, "faxModemTurnedOff" },
	{ 0, NULL }
};

const struct keyword words_alert_source[] = {
	{ ALERT_ROW, "row" },
	{ ALERT_ERROR_BITS, "error-bits" },
	{ 0, NULL }
};
